import ApusTable
import Datasets
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#endif

/// Whether DuckDB is on this machine; `make test` names it with `APUS_DUCKDB`.
let hasDuckDB = (try? DuckDBProgram.find()) != nil

/// Profiles tables that are texts, in a folder that is gone afterwards.
final class ProfileFolder {
    private let path: String

    init() throws {
        var template = Array("/tmp/apus-profile-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TableError(.unreadable, "no folder") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The profile of files with these contents, all of one table.
    func profile(_ contents: [String], name: String = "part.csv", seed: UInt64? = nil) async throws -> TableProfile {
        var files: [TableFile] = []
        for (place, content) in contents.enumerated() {
            let file = "\(path)/\(place)-\(content.utf8.count)-\(name)"
            guard FileManager.default.createFile(atPath: file, contents: Data(content.utf8)) else {
                throw TableError(.unreadable, "no file")
            }
            files.append(try TableFile(path: file, name: "\(place)-\(name)"))
        }
        let source = try TableSource(files)
        let table = DuckDBTable(source, program: try DuckDBProgram.find(), scratch: path)
        let profiler = seed.map { TableProfiler(seed: $0) } ?? TableProfiler(for: source)
        return try await profiler.profile(table)
    }
}
