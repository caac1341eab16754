import ApusCommand
import ApusDatabase
import ApusKernel
import ArgumentParser

/// How addresses on the web are read.
struct WebImportOptions: ParsableArguments, Sendable {
    @Option(help: ArgumentHelp("The SHA-256 that the content must have.", valueName: "digits")) var sha256: String?
    @Option(help: ArgumentHelp("The most bytes of a file.", valueName: "count")) var maxBytes: Int64 = 1 << 40
    @Option(help: ArgumentHelp("A header to send, such as 'Accept: text/csv'; may be repeated.", valueName: "header"))
    var header: [String] = []
    @Option(
        help: ArgumentHelp(
            "A header whose value is in an environment variable; may be repeated.",
            valueName: "name=variable"
        )
    )
    var headerEnv: [KeyValueArgument] = []

    mutating func validate() throws {
        guard maxBytes > 0 else { throw ValidationError("--max-bytes must be at least 1.") }
    }

    func options(_ environment: Environment) throws -> HTTPOptions {
        var options = HTTPOptions()
        options.sha256 = sha256?.lowercased()
        options.maximumBytes = maxBytes
        for line in header {
            guard let colon = line.firstIndex(of: ":") else {
                throw CommandFailure.usage(
                    "a header has a name and a value",
                    hint: "Write --header 'Accept: text/csv'."
                )
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            options.headers.append((try Self.name(String(line[..<colon])), try Self.value(String(value))))
        }
        for pair in headerEnv {
            guard let value = environment[pair.value] else {
                throw CommandFailure.usage("the environment has no variable '\(pair.value)'")
            }
            options.headers.append((try Self.name(pair.key), try Self.value(value)))
        }
        return options
    }

    private static func name(_ text: String) throws -> String {
        let isName = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains($0) }
        guard isName, !text.isEmpty else { throw CommandFailure.usage("'\(text)' is no name of a header") }
        return text
    }

    private static func value(_ text: String) throws -> String {
        // What it is stays unsaid.
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw CommandFailure.usage("a header's value has control characters")
        }
        return text
    }
}

/// How databases are read.
struct DatabaseImportOptions: ParsableArguments, Sendable {
    @Option(help: ArgumentHelp("The table or view, such as sales.orders.", valueName: "name")) var table: String?
    @Option(help: ArgumentHelp("One statement that gives rows.", valueName: "sql")) var query: String?
    @Option(help: ArgumentHelp("The column that grows with what is new.", valueName: "column")) var watermark: String?
    @Option(help: "csv or jsonl.") var format: RowFormat = .csv
    @Option(help: ArgumentHelp("About how many bytes a file has.", valueName: "count")) var partBytes: Int64 = 256 << 20
    @Option(help: ArgumentHelp("Seconds that a statement may take.", valueName: "seconds")) var statementTimeout = 3600

    /// A format on the command line.
    enum RowFormat: String, ExpressibleByArgument, CaseIterable {
        case csv, jsonl
    }

    mutating func validate() throws {
        guard partBytes >= 1 << 16 else { throw ValidationError("--part-bytes must be at least 65536.") }
        guard (1...604_800).contains(statementTimeout) else {
            throw ValidationError("--statement-timeout must be from 1 to 604800.")
        }
    }

    var options: SQLOptions {
        var options = SQLOptions()
        options.format = ForeignFormat(rawValue: format.rawValue) ?? .csv
        options.watermark = watermark
        options.partBytes = partBytes
        options.statementTimeout = .seconds(statementTimeout)
        return options
    }
}
