import ApusTable
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#endif

/// Whether DuckDB is on this machine; `make test` names it with `APUS_DUCKDB`.
let hasDuckDB = (try? DuckDBProgram.find()) != nil

/// A folder with the files of a test, which is gone after it.
///
/// What throws here is not inlined, which the compiler of Swift 6.3 does not survive in some tests of a release build.
final class TableFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/apus-table-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXFailure(code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        mkdir("\(path)/scratch", 0o700)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    struct POSIXFailure: Error {
        let code: Int32
    }

    /// Names of what queries have left in the scratch folder.
    var leftovers: [String] { (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/scratch")) ?? ["?"] }

    @inline(never)
    @discardableResult
    func write(_ name: String, _ content: String) throws -> TableFile {
        try write(name, Array(content.utf8))
    }

    @inline(never)
    @discardableResult
    func write(_ name: String, _ content: [UInt8]) throws -> TableFile {
        let path = "\(path)/\(name)"
        guard FileManager.default.createFile(atPath: path, contents: Data(content)) else {
            throw POSIXFailure(code: errno)
        }
        return try TableFile(path: path, name: name)
    }

    @inline(never)
    func table(
        _ files: TableFile...,
        format: TableFormat? = nil,
        columns: [TableColumn]? = nil,
        limits: TableLimits = TableLimits()
    ) throws -> DuckDBTable {
        DuckDBTable(
            try TableSource(files, format: format, columns: columns),
            program: try DuckDBProgram.find(),
            scratch: "\(path)/scratch",
            limits: limits
        )
    }

    /// A table of one file of CSV.
    @inline(never)
    func csv(_ content: String, limits: TableLimits = TableLimits()) throws -> DuckDBTable {
        try table(try write("data.csv", content), limits: limits)
    }
}

/// All rows as texts, nil for what is missing; see ``TableFolder`` for why it is not inlined.
@inline(never)
func texts(_ table: DuckDBTable) async throws -> [[String?]] {
    try await table.rows("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM data").rows.map { row in
        row.map { if case .text(let text) = $0 { text } else { nil } }
    }
}

/// The error that a call throws; see ``TableFolder`` for why it is not inlined.
@inline(never)
func failure<T>(_ body: () async throws -> T) async -> TableError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? TableError
    }
}
