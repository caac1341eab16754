import ApusCommand
import ApusTable
import ArgumentParser
import Glibc

/// A table in local files that a command reads.
struct LocalTable {
    let table: DuckDBTable

    /// Opens a table, and hands it to `body`; what does not fit into memory goes to a folder that is gone afterwards.
    ///
    /// - Throws: ``CommandFailure``.
    static func with<Result>(_ paths: [String], _ body: (DuckDBTable) async throws -> Result) async throws -> Result {
        var template = Array("\(folder)/apus-table-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw CommandFailure.file("make", folder) }
        let scratch = String(cString: made)
        defer { rmdir(scratch) }
        do {
            let source = try TableSource(paths.map { try TableFile(path: $0) })
            return try await body(DuckDBTable(source, program: try DuckDBProgram.find(), scratch: scratch))
        } catch let error as TableError {
            if error.kind == .cancelled { throw CommandFailure.interrupted }
            throw CommandFailure(error.message)
        }
    }

    private static var folder: String {
        getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    }
}
