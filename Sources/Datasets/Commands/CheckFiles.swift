import ApusCommand
import ApusJSON
import ApusKernel

/// Suites in local files, for commands.
enum CheckFiles {
    /// - Throws: ``CommandFailure`` that names every mistake.
    static func suite(_ path: String) throws -> CheckSuite {
        try reading(path) { text in
            let name = LocalPath.name(path).map { $0.split(separator: ".").first.map(String.init) ?? $0 }
            return try CheckSuite(reading: text, name: name ?? "checks")
        }
    }

    /// Reads a file as text.
    static func reading<Result>(_ path: String, _ body: (String) throws -> Result) throws -> Result {
        guard let bytes = WholeFile.read(path, upTo: CheckSuite.maximumBytes) else {
            throw CommandFailure("cannot read '\(path)'", hint: "Is it there? A suite has at most 8 MiB.")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure("'\(path)' is no text in UTF-8")
        }
        do {
            return try body(text)
        } catch let mistakes as SuiteMistakes {
            throw CommandFailure("'\(path)' is not right:\n\(mistakes)")
        }
    }

    /// A value as JSON on several lines, with a line break at the end.
    static func text(_ value: SuiteValue) throws -> String {
        var json = JSONWriter()
        json.suiteValue(value)
        return try JSON(parsing: json.bytes).prettyText + "\n"
    }
}
