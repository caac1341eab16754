import ApusVault
import Datasets
import Testing

/// What operations on large versions read and write.
@Suite struct TreeCostTests {
    /// 200,000 files in 400 directories.
    private static func entries() throws -> [FileEntry] {
        try (0..<200_000).map { try file("train/class-\(1000 + $0 / 500)/image-\(1_000_000 + $0).jpg", UInt64($0)) }
    }

    @Test func `changes touch the blocks around them only`() async throws {
        let blocks = MemoryTreeBlocks()
        let tree = VersionTree(blocks: blocks)
        var entries = try Self.entries()
        let (root, _, written) = try await blocks.counting { try await tree.build(entries) }
        #expect((200..<1_000).contains(written))
        #expect(blocks.count == written)

        // Contents change, a file comes and a file goes.
        let directory = "train/class-1123"
        let changes: [[TreeChange]] = [
            [.put(try file(entries[123_456].path.text, 999_999))],
            [.put(try file("\(directory)/image-1061500.png", 1))],
            [.remove(entries[77_777].path)],
            [.put(try file("a", 1))],
            [.put(try file("z", 1))],
            [.removeDirectory(try path(directory))],
        ]
        for change in changes {
            let (changed, reads, writes) = try await blocks.counting { try await tree.apply(change, to: root) }
            #expect(reads < 12, "\(change) reads \(reads)")
            #expect(writes < 12, "\(change) writes \(writes)")
            let (difference, diffReads, _) = try await blocks.counting {
                try await tree.diff(from: root, to: changed).all()
            }
            #expect(difference.count == (change == changes[5] ? 500 : 1))
            #expect(diffReads < 20, "\(change) is compared by \(diffReads)")
        }

        // Half of all directories go, and few blocks are read for it.
        let (rest, reads, writes) = try await blocks.counting {
            try await tree.apply((0..<200).map { .removeDirectory(try path("train/class-\(1100 + $0)")) }, to: root)
        }
        entries.removeSubrange(50_000..<150_000)
        #expect(try await tree.build(entries) == rest)
        #expect(reads < 250 && writes < 12, "\(reads) reads, \(writes) writes")
        let (none, allReads, _) = try await blocks.counting {
            try await tree.apply([.removeDirectory(try path("train"))], to: root)
        }
        #expect(try await tree.totals(of: none) == .zero)
        #expect(allReads < 12)

        // A directory that is imported anew is not read.
        let replacement = [TreeChange.removeDirectory(try path("train"))] + entries.prefix(20_000).map { .put($0) }
        let (replaced, replaceReads, _) = try await blocks.counting { try await tree.apply(replacement, to: root) }
        #expect(try await tree.build(Array(entries.prefix(20_000))) == replaced)
        #expect(replaceReads < 12)
    }

    @Test func `ten changes are found by few reads`() async throws {
        let blocks = MemoryTreeBlocks()
        let tree = VersionTree(blocks: blocks)
        let entries = try Self.entries()
        let root = try await tree.build(entries)
        var changes: [TreeChange] = []
        for index in 0..<10 {
            let entry = entries[index * 19_000 + 5_000]
            switch index % 3 {
            case 0: changes.append(.remove(entry.path))
            case 1: changes.append(.put(try file(entry.path.text, 7_777_777)))
            default: changes.append(.put(try file("\(entry.path.text).json", 1)))
            }
        }
        let changed = try await tree.apply(changes, to: root)
        let (difference, reads, _) = try await blocks.counting { try await tree.diff(from: root, to: changed).all() }
        #expect(difference.count == 10)
        #expect(reads < 60, "\(reads) reads")
        let (same, noReads, _) = try await blocks.counting { try await tree.diff(from: root, to: root).all() }
        #expect(same.isEmpty && noReads == 0)
        let (references, referenceReads, _) = try await blocks.counting {
            try await tree.references(of: changed, excluding: root).all()
        }
        #expect(referenceReads < 60, "\(referenceReads) reads")
        #expect(references.count < 60, "\(references.count) references")
    }

    @Test func `looking costs a path from the root`() async throws {
        let blocks = MemoryTreeBlocks()
        let tree = VersionTree(blocks: blocks)
        let entries = try Self.entries()
        let root = try await tree.build(entries)
        let (found, reads, _) = try await blocks.counting { try await tree.entry(at: entries[99_999].path, in: root) }
        #expect(found == entries[99_999])
        #expect(reads <= 3)
        let (totals, totalReads, _) = try await blocks.counting { try await tree.totals(of: root) }
        #expect(totals.fileCount == 200_000)
        #expect(totalReads == 1)
        let (top, topReads, _) = try await blocks.counting { try await tree.list(nil, in: root, limit: 10) }
        #expect(top == [.directory(try path("train"), totals)])
        #expect(topReads <= 4)
        // The sums of ten directories of a block each.
        let (page, pageReads, _) = try await blocks.counting {
            try await tree.list(try path("train"), in: root, after: "class-1200", limit: 10)
        }
        #expect(page.map(\.name) == (1201...1210).map { "class-\($0)" })
        #expect(page.allSatisfy { if case .directory(_, let totals) = $0 { totals.fileCount == 500 } else { false } })
        #expect(pageReads < 30, "\(pageReads) reads")
        let (files, fileReads, _) = try await blocks.counting {
            try await tree.files(within: try path("train/class-1399"), in: root, limit: 1_000)
        }
        #expect(files == Array(entries.suffix(500)))
        #expect(fileReads < 8)
    }
}
