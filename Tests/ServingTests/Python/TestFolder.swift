import ApusKernel
import Foundation

@testable import Serving

/// A folder of a test's own, which goes with it.
struct TestFolder {
    let path: String

    static func with<Result>(_ body: (TestFolder) throws -> Result) throws -> Result {
        let folder = try TestFolder()
        defer { FileTree.remove(folder.path) }
        return try body(folder)
    }

    static func with<Result>(_ body: (TestFolder) async throws -> Result) async throws -> Result {
        let folder = try TestFolder()
        defer { FileTree.remove(folder.path) }
        return try await body(folder)
    }

    init() throws {
        path = "\(FileManager.default.temporaryDirectory.path)/apus-python-\(RandomIdentifiers().hex32())"
        try FileTree.makeFolder(path)
    }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }
}
