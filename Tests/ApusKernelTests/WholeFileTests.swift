import ApusKernel
import Foundation
import Testing

/// Files that are there whole or not at all.
@Suite struct WholeFileTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "whole-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path(percentEncoded: false))
    }

    @Test func `a file is made for its owner only`() throws {
        try inFolder { folder throws in
            #expect(WholeFile.make("\(folder)/f", Array("text".utf8)))
            #expect(try String(contentsOfFile: "\(folder)/f", encoding: .utf8) == "text")
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/f")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["f"])
        }
    }

    @Test func `one that is there stays, and an empty one is replaced`() throws {
        try inFolder { folder throws in
            #expect(WholeFile.make("\(folder)/f", Array("first".utf8)))
            #expect(WholeFile.make("\(folder)/f", Array("second".utf8)))
            #expect(try String(contentsOfFile: "\(folder)/f", encoding: .utf8) == "first")
            #expect(FileManager.default.createFile(atPath: "\(folder)/empty", contents: nil))
            #expect(WholeFile.make("\(folder)/empty", Array("text".utf8)))
            #expect(try String(contentsOfFile: "\(folder)/empty", encoding: .utf8) == "text")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["empty", "f"])
        }
    }

    @Test func `many at once agree on one`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "whole-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "f").path(percentEncoded: false)
        let made = await withTaskGroup(of: Bool.self) { tasks in
            for number in 0..<32 { tasks.addTask { WholeFile.make(path, Array("writer \(number)".utf8)) } }
            return await tasks.reduce(true) { $0 && $1 }
        }
        #expect(made)
        #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix("writer "))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)) == ["f"])
    }

    @Test func `a folder that is not there is said`() {
        #expect(!WholeFile.make("/nowhere/at/all", [1]))
    }
}
