import ApusVault
import Datasets
import Testing

/// Blocks stay bounded, and the rule stays what it was.
@Suite struct TreeBoundaryTests {
    /// The numbers of files or children of all blocks of a tree, and its number of levels.
    private static func shape(of root: Digest, in blocks: MemoryTreeBlocks) async throws -> (counts: [Int], levels: Int)
    {
        let block = try await blocks.read(root)
        var result = (counts: [block.count], levels: block.level + 1)
        guard case .children(let children) = block.content else { return result }
        for child in children { result.counts += try await shape(of: child.digest, in: blocks).counts }
        return result
    }

    /// Paths that end no block before its maximum.
    private static func endlessPaths(_ count: Int, prefix: String) throws -> [FilePath] {
        var paths: [FilePath] = []
        var number = 1_000_000
        while paths.count < count {
            let candidate = try path("\(prefix)\(number)")
            number += 1
            let shift = UInt64(64 - TreeBoundary.standard.commonBits)
            if TreeBoundary.hash(candidate, level: 0) >> shift > 0 { paths.append(candidate) }
        }
        return paths
    }

    @Test func `blocks have about five hundred files`() async throws {
        let blocks = MemoryTreeBlocks()
        let tree = VersionTree(blocks: blocks)
        let root = try await tree.build((0..<100_000).map { try file("f/\(1_000_000 + $0)") })
        let counts = try await Self.shape(of: root, in: blocks).counts
        let mean = 100_000 / Double(counts.count)
        #expect((400..<600).contains(mean), "\(mean)")
    }

    @Test func `paths that end no block make bounded blocks, and the same ones however they came`() async throws {
        let blocks = MemoryTreeBlocks()
        let tree = VersionTree(blocks: blocks)
        let entries = try Self.endlessPaths(20_000, prefix: "x/").map { try file($0.text) }
        let root = try await tree.build(entries)
        #expect(try await Self.shape(of: root, in: blocks).counts.max() == TreeBlock.maximumCount)
        // Everything behind the first file is cut anew.
        let first = try await tree.apply([.remove(entries[0].path)], to: root)
        #expect(try await tree.build(Array(entries.dropFirst())) == first)
        #expect(try await tree.apply([.put(entries[0])], to: first) == root)
        let (_, _, writes) = try await blocks.counting {
            try await tree.apply([.put(try file(entries[0].path.text, 5))], to: root)
        }
        #expect(writes < 12)
    }

    @Test func `a hash of one level says nothing of another`() throws {
        let ends = try (0..<200_000).filter {
            TreeBoundary.hash(try path("f/\($0)"), level: 0) >> 58 == 0
        }
        let both = try ends.filter { TreeBoundary.hash(try path("f/\($0)"), level: 1) >> 58 == 0 }
        // One in 64, and one in 64 of those: 3125 and 49.
        #expect((2_800..<3_500).contains(ends.count))
        #expect((20..<90).contains(both.count))
    }

    @Test func `long and alike paths make trees`() async throws {
        let blocks = MemoryTreeBlocks()
        let tree = VersionTree(blocks: blocks)
        let directory = Array(repeating: String(repeating: "d", count: 250), count: 3).joined(separator: "/")
        let entries = try (0..<3_000).map { number in
            let filler = String(repeating: "日本e\u{301}", count: 25)
            return try file("\(directory)/\(filler)\(10_000 + number)", UInt64(number))
        }
        let root = try await tree.build(entries)
        #expect(try await tree.entries(of: root).all() == entries)
        #expect(try await tree.entry(at: entries[2_222].path, in: root) == entries[2_222])
        let fewer = try await tree.apply(entries.prefix(1_500).map { .remove($0.path) }, to: root)
        #expect(try await tree.build(Array(entries.suffix(1_500))) == fewer)
        // A stack of files each of which begins with the one before.
        let chain = try (1...255).map { try file(String(repeating: "!", count: $0)) }
        #expect(try await tree.entries(of: tree.build(chain)).all() == chain)
    }

    /// A change here gives every stored version another root: old versions would no longer share blocks with new ones.
    @Test func `roots are what they were`() async throws {
        let tree = VersionTree(blocks: MemoryTreeBlocks())
        #expect(try await tree.build([]).hex == "9306f82804c6128fd506668011b8020b9e35eea68386996dfbbfaf48003ecefd")
        let root = try await tree.build((0..<150_000).map { try file("d-\($0 % 10)/f-\($0)", UInt64($0)) })
        #expect(root.hex == "11e4d89065ffc51dc50a617c07c8fef14bf34411fb42deeeabe6361436508d89")
    }
}
