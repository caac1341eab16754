import ApusKernel
import Datasets
import Testing

/// What may not be in a version, and changes that may not be made.
@Suite struct TreeConflictTests {
    private let tree = VersionTree(blocks: MemoryTreeBlocks(), boundary: .small)

    private static func isInvalid(_ error: any Error, naming name: String) -> Bool {
        guard let error = error as? RequestError else { return false }
        return error.code == .invalidParameterValue && error.message.contains("'\(name)'")
    }

    @Test(arguments: [
        ["a", "a/b"], ["a", "a!", "a.txt", "a/b/c"], ["x/a", "x/a-1", "x/a.b.c", "x/a/b", "y"], ["a", "a!", "a!/b"],
    ])
    func `a file is no directory in a fresh version`(paths: [String]) async throws {
        let files = try paths.map { try file($0) }
        await #expect { try await tree.build(files) } throws: {
            ($0 as? RequestError)?.message.contains("a directory at once") == true
        }
    }

    @Test func `names that only look alike are no conflict`() async throws {
        let files = try ["a", "a!", "a!b/c", "a-/x", "a.txt", "a0/b", "aa/a"].map { try file($0) }
        let root = try await tree.build(files)
        #expect(try await tree.entries(of: root).all() == files)
    }

    @Test func `a file is not put below a file far away`() async throws {
        // Between the file and its directory's place lie many others.
        let others = try (0..<500).map { try file("a-\(1000 + $0)") }
        let root = try await tree.build([try file("a")] + others)
        await #expect { try await tree.apply([.put(try file("a/b"))], to: root) } throws: {
            Self.isInvalid($0, naming: "a")
        }
        let moved = try await tree.apply([.remove(try path("a")), .put(try file("a/b"))], to: root)
        #expect(try await tree.build([try file("a/b")] + others) == moved)
    }

    @Test func `a file does not take the place of a directory far away`() async throws {
        let others = try (0..<500).map { try file("a-\(1000 + $0)") }
        let root = try await tree.build([try file("a/b"), try file("a/c")] + others)
        await #expect { try await tree.apply([.put(try file("a"))], to: root) } throws: {
            Self.isInvalid($0, naming: "a")
        }
        await #expect { try await tree.apply([.put(try file("a")), .remove(try path("a/b"))], to: root) } throws: {
            Self.isInvalid($0, naming: "a/c")
        }
        let moved = try await tree.apply([.put(try file("a")), .removeDirectory(try path("a"))], to: root)
        #expect(try await tree.build([try file("a")] + others) == moved)
    }

    @Test func `a file that was put back into a removed directory is a file`() async throws {
        let root = try await tree.build([try file("d/a", 1), try file("d/b", 1)])
        let changes: [TreeChange] = [
            .removeDirectory(try path("d")), .put(try file("d/a", 2)), .put(try file("d/a/x", 2)),
        ]
        await #expect { try await tree.apply(changes, to: root) } throws: { Self.isInvalid($0, naming: "d/a") }
    }

    @Test func `one place is changed once, in order`() async throws {
        let root = try await tree.build([])
        let twice = [TreeChange.put(try file("a", 1)), .put(try file("a", 2))]
        await #expect { try await tree.apply(twice, to: root) } throws: { Self.isInvalid($0, naming: "a") }
        let entries = try ["b", "a"].map { try file($0) }
        await #expect { try await tree.build(Self.stream(entries)) } throws: { Self.isInvalid($0, naming: "a") }
        #expect(try await tree.build(Self.stream(entries.reversed())) == tree.build(entries))
    }

    @Test func `sizes that cannot be added up are refused`() async throws {
        var one = try file("a")
        one.sizeBytes = .max
        let other = try file("b", 1)
        await #expect(throws: RequestError.self) { try await tree.build([one, other]) }
        one.sizeBytes = -1
        await #expect(throws: RequestError.self) { try await tree.build([one]) }
        // Also when they lie in different blocks.
        var many = try (0..<100).map { try file("f\(100 + $0)") }
        for index in many.indices { many[index].sizeBytes = .max / 50 }
        await #expect(throws: RequestError.self) { try await tree.build(many) }
    }

    @Test func `a version of nothing is a version`() async throws {
        let empty = try await tree.build([])
        #expect(try await tree.totals(of: empty) == .zero)
        #expect(try await tree.entries(of: empty).all().isEmpty)
        #expect(try await tree.list(nil, in: empty, limit: 10).isEmpty)
        #expect(try await tree.files(within: nil, in: empty, limit: 10).isEmpty)
        #expect(try await tree.item(at: try path("a"), in: empty) == nil)
        #expect(try await tree.references(of: empty).all() == [.block(empty)])
        let one = try await tree.apply([.put(try file("a"))], to: empty)
        #expect(try await tree.diff(from: empty, to: one).all() == [.added(try file("a"))])
        #expect(try await tree.apply([.remove(try path("a"))], to: one) == empty)
        #expect(try await tree.apply([.remove(try path("x")), .removeDirectory(try path("y"))], to: one) == one)
    }

    private static func stream(_ entries: [FileEntry]) -> AsyncStream<FileEntry> {
        AsyncStream { continuation in
            for entry in entries { continuation.yield(entry) }
            continuation.finish()
        }
    }
}
