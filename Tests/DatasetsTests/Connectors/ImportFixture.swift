import ApusKernel
import Datasets
import FoundationEssentials
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// An empty folder for one test, with what imports need.
struct ImportFixture: Sendable {
    let folder: String
    let progress = CountingProgress()

    static func with<T>(_ body: (ImportFixture) async throws -> T) async throws -> T {
        let folder = "/tmp/apus-import-\(RandomIdentifiers().hex32())"
        try #require(mkdir(folder, 0o700) == 0)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await body(ImportFixture(folder: folder))
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// Writes a file, and makes the folders above it.
    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        var made = folder
        for segment in name.split(separator: "/").dropLast() {
            made += "/\(segment)"
            mkdir(made, 0o700)
        }
        let file = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(file) }
        try #require(Glibc.write(file, bytes, bytes.count) == bytes.count)
    }

    func text(_ path: String) throws -> String { String(decoding: try bytes(path), as: UTF8.self) }
    func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

    /// Imports a source; each call is as a process of its own, with what the ones before left.
    func fetch(
        _ source: String,
        _ options: ConnectorOptions = ConnectorOptions(),
        since state: ConnectorState? = nil,
        staging: String = "staging"
    ) async throws -> ImportResult {
        let connector = try Connectors.connector(for: source, options)
        return try await connector.fetch(into: StagingFolder(path(staging)), since: state, progress: progress)
    }
}

/// Adds up what it is told.
final class CountingProgress: ImportProgress {
    private let count = Mutex<Int64>(0)
    var bytes: Int64 { count.withLock { $0 } }
    func begin(_ label: String, totalBytes: Int64?) {}
    func advance(bytes: Int64) { count.withLock { $0 += bytes } }
}

/// Kills its process after so many bytes.
final class DeadlyProgress: ImportProgress {
    private let limit: Int64
    private let count = Mutex<Int64>(0)

    init(bytes: Int64) { limit = bytes }
    func begin(_ label: String, totalBytes: Int64?) {}

    func advance(bytes: Int64) {
        let sum = count.withLock { count in
            count += bytes
            return count
        }
        if sum >= limit { kill(getpid(), SIGKILL) }
    }
}
