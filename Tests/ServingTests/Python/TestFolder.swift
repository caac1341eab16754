import ApusKernel
import Foundation

/// A folder of a test's own, which goes with it.
struct TestFolder {
    let path: String

    static func with<Result>(_ body: (TestFolder) throws -> Result) throws -> Result {
        let folder = try TestFolder()
        defer { folder.remove() }
        return try body(folder)
    }

    static func with<Result>(_ body: (TestFolder) async throws -> Result) async throws -> Result {
        let folder = try TestFolder()
        defer { folder.remove() }
        return try await body(folder)
    }

    init() throws {
        path = "\(FileManager.default.temporaryDirectory.path)/apus-python-\(RandomIdentifiers().hex32())"
        try Self.make(path)
    }

    /// Makes a folder for its owner only, and those above it that are missing.
    static func make(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    /// Removes the folder and what is in it.
    func remove() { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }
}
