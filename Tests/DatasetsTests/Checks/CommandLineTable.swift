import ApusJSON
import ApusTable
import Datasets
import Foundation

/// A table that the `duckdb` program on the path reads, or the one that `APUS_DUCKDB` names.
///
/// Each query starts a program of its own, so this is for tests only.
struct CommandLineTable: TableQuerying {
    /// What is run before each query; makes the relation `data`.
    let preparation: String
    let arguments: [String]

    static let program: String? = {
        let environment = ProcessInfo.processInfo.environment
        let folders = (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/duckdb" }
        return ([environment["APUS_DUCKDB"]].compactMap(\.self) + folders).first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }()

    /// A table made by a query.
    init(_ query: String) {
        preparation =
            "CREATE TABLE source AS \(query); "
            + "CREATE VIEW data AS SELECT *, row_number() OVER () - 1 AS __row FROM source;"
        arguments = []
    }

    /// The relation `data` of a database file.
    init(database path: String) {
        preparation = ""
        arguments = ["-readonly", path]
    }

    func columns() async throws -> [TableColumn] {
        try await rows("SELECT column_name, column_type FROM (DESCRIBE SELECT * EXCLUDE (__row) FROM data)").rows.map {
            guard case .text(let name) = $0[0], case .text(let type) = $0[1] else {
                throw TableError(.unreadable, "no columns")
            }
            return TableColumn(name: name, type: Self.type(type), sqlType: type)
        }
    }

    private static func type(_ name: String) -> ColumnType {
        switch name.prefix(while: { $0 != "(" }) {
        case "BOOLEAN": .boolean
        case "BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT": .integer
        case "DOUBLE", "FLOAT", "DECIMAL", "HUGEINT", "UBIGINT": .number
        case "VARCHAR": .text
        case "DATE": .date
        case "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "TIMESTAMP_S", "TIMESTAMP_MS": .timestamp
        case "TIME": .time
        default: .other
        }
    }

    func rows(_ sql: String) async throws -> TableRows {
        guard let program = Self.program else { throw TableError(.engineMissing, "there is no duckdb") }
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments + ["-json"]
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // The shell writes nothing before it has read all: what is sent fits in memory on the other side.
        try input.fileHandleForWriting.write(contentsOf: Data(".bail on\n\(preparation)\n\(sql);\n".utf8))
        try input.fileHandleForWriting.close()
        let answer = try output.fileHandleForReading.readToEnd() ?? Data()
        let message = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0, message.isEmpty else {
            throw TableError(.badQuery, String(decoding: message, as: UTF8.self))
        }
        return try Self.rows(String(decoding: answer, as: UTF8.self))
    }

    private static func rows(_ text: String) throws -> TableRows {
        // Not JSON, and what the shell writes for them.
        var text = text
        for word in ["NaN", "Infinity", "-Infinity"] {
            for end in [",", "}"] {
                text = text.replacingOccurrences(of: "\":\(word)\(end)", with: "\":\"<\(word)>\"\(end)")
            }
        }
        guard text.contains("{") else { return TableRows(columns: [], rows: []) }
        let document = try Array(text.utf8).withUnsafeBytes { try JSONDocument(parsing: $0) }
        var columns: [String] = []
        var rows: [[TableValue]] = []
        for element in document.root.elements.map(Array.init) ?? [] {
            let members = element.members.map(Array.init) ?? []
            columns = members.map(\.name)
            rows.append(members.map { value($0.value) })
        }
        return TableRows(columns: columns, rows: rows)
    }

    private static func value(_ value: JSONValue) -> TableValue {
        switch value.kind {
        case .null: return .null
        case .bool: return .boolean(value.bool ?? false)
        case .integer: return .integer(value.integer ?? 0)
        case .unsigned, .double: return .number(value.double ?? 0)
        case .string:
            switch value.string ?? "" {
            case "<NaN>": return .number(.nan)
            case "<Infinity>": return .number(.infinity)
            case "<-Infinity>": return .number(-.infinity)
            default: return .text(value.string ?? "")
            }
        case .array, .object:
            var json = JSONWriter()
            json.value(value)
            return .text(String(decoding: json.bytes, as: UTF8.self))
        }
    }
}
