import ApusKernel
import ApusVault
import Datasets
import Testing

/// Blocks and their bytes.
@Suite struct TreeBlockTests {
    private static func isDataLoss(_ error: any Error) -> Bool {
        (error as? RequestError)?.code == .dataLoss
    }

    private static func leaf() throws -> TreeBlock {
        try TreeBlock(files: [
            try file("a", 1, executable: true), try file("a/b", 3), try file("ab/é", 999_999),
            try file("b", 300_001),
        ])
    }

    private static func inner() throws -> TreeBlock {
        let digest = try file("x").digest
        let totals = TreeTotals(fileCount: 1 << 40, sizeBytes: .max / 4)
        return try TreeBlock(
            level: 3,
            children: try ["a", "a/b", "z"].map { TreeChild(lastPath: try path($0), digest: digest, totals: totals) }
        )
    }

    @Test func `a block is read as it was written`() throws {
        for block in [try Self.leaf(), try Self.inner(), try TreeBlock(files: [])] {
            #expect(try TreeBlock(decoding: block.encoded()) == block)
        }
        #expect(try Self.leaf().totals == TreeTotals(fileCount: 4, sizeBytes: 1 + 3 + 999_999 + 300_001))
    }

    @Test func `the largest block is read again`() throws {
        let directory = Array(repeating: String(repeating: "d", count: 254), count: 3).joined(separator: "/")
        let files = try (0..<TreeBlock.maximumCount).map { number in
            var entry = try file("\(10_000 + number)/\(directory)/\(String(repeating: "f", count: 250))", 1)
            entry.sizeBytes = .max / 1024
            return entry
        }
        let block = try TreeBlock(files: files)
        #expect(block.lastPath?.text.utf8.count ?? 0 > 1_000)
        #expect(try TreeBlock(decoding: block.encoded()) == block)
    }

    /// The bytes of a leaf of one file, put together by hand.
    private static func bytes(
        magic: [UInt8] = Array("aptree".utf8) + [1],
        level: UInt8 = 0,
        count: [UInt8] = [1],
        items: [UInt8]
    ) -> [UInt8] {
        magic + [level] + count + items
    }

    private static func item(_ shared: UInt8, _ name: String, flags: UInt8 = 0, size: [UInt8] = [5]) -> [UInt8] {
        [shared, UInt8(name.utf8.count)] + Array(name.utf8) + [flags] + size + [UInt8](repeating: 7, count: 32)
    }

    @Test func `what is put together by hand is read`() throws {
        let block = try TreeBlock(decoding: Self.bytes(count: [2], items: Self.item(0, "ab") + Self.item(1, "c")))
        #expect(block.lastPath == (try path("ac")))
        #expect(block.totals == TreeTotals(fileCount: 2, sizeBytes: 10))
    }

    static let damaged: [(String, [UInt8])] = [
        ("nothing", []),
        ("magic only", bytes(items: []).prefix(7).map { $0 }),
        ("another format", bytes(magic: Array("aptree".utf8) + [2], items: item(0, "a"))),
        ("fewer items than promised", bytes(count: [2], items: item(0, "a"))),
        ("more items than promised", bytes(items: item(0, "a") + item(0, "b"))),
        ("bytes behind the items", bytes(items: item(0, "a") + [0])),
        ("a count of 2^63", bytes(count: [UInt8](repeating: 0x80, count: 9) + [1], items: item(0, "a"))),
        ("a count above 64 bits", bytes(count: [UInt8](repeating: 0xFF, count: 9) + [2], items: item(0, "a"))),
        ("an endless count", bytes(count: [UInt8](repeating: 0x80, count: 200), items: [])),
        ("a count in too many bytes", bytes(count: [0x81, 0], items: item(0, "a"))),
        ("more items than a block has", bytes(count: [0x81, 8], items: [UInt8](repeating: 0, count: 90_000))),
        ("a name out of order", bytes(count: [2], items: item(0, "b") + item(0, "a"))),
        ("a name twice", bytes(count: [2], items: item(0, "b") + item(1, ""))),
        ("a name twice, spelt out", bytes(count: [2], items: item(0, "b") + item(0, "b"))),
        ("less shared than there is", bytes(count: [2], items: item(0, "b") + item(0, "bc"))),
        ("more shared than there is", bytes(count: [2], items: item(0, "b") + item(2, "c"))),
        ("an empty name", bytes(items: item(0, ""))),
        ("a name that climbs", bytes(items: item(0, "a/../b"))),
        ("an absolute name", bytes(items: item(0, "/b"))),
        ("a name that is no UTF-8", bytes(items: [0, 1, 0xFF, 0, 5] + [UInt8](repeating: 7, count: 32))),
        ("a name that ends within a character", bytes(items: [0, 1, 0xC3, 0, 5] + [UInt8](repeating: 7, count: 32))),
        ("unknown flags", bytes(items: item(0, "a", flags: 4))),
        ("an MD5 that is not there", bytes(items: item(0, "a", flags: 2))),
        ("a negative size", bytes(items: item(0, "a", size: [UInt8](repeating: 0xFF, count: 9) + [1]))),
        (
            "sizes that overflow",
            bytes(
                count: [2],
                items: item(0, "a", size: [UInt8](repeating: 0xFF, count: 8) + [0x7F])
                    + item(0, "b", size: [UInt8](repeating: 0xFF, count: 8) + [0x7F])
            )
        ),
        ("a level without children", bytes(level: 1, count: [0], items: [])),
        ("a level above all", bytes(level: 13, items: [0, 1, 0x61, 1, 1] + [UInt8](repeating: 7, count: 32))),
        ("a child of no files", bytes(level: 1, items: [0, 1, 0x61, 0, 0] + [UInt8](repeating: 7, count: 32))),
        ("too many bytes", [UInt8](repeating: 0, count: TreeBlock.maximumBytes + 1)),
    ]

    @Test(arguments: damaged)
    func `bytes that are no block are refused`(name: String, bytes: [UInt8]) {
        #expect { try TreeBlock(decoding: bytes) } throws: { Self.isDataLoss($0) }
    }

    @Test func `no change of bytes brings the reader down`() throws {
        var generator = SplitMix(state: 5)
        for original in [try Self.leaf().encoded(), try Self.inner().encoded()] {
            for length in 0..<original.count {
                #expect(throws: RequestError.self) { try TreeBlock(decoding: Array(original.prefix(length))) }
            }
            for _ in 0..<50_000 {
                var bytes = original
                for _ in 0...(generator.next() % 3) {
                    let place = Int(generator.next() % UInt64(bytes.count))
                    switch generator.next() % 3 {
                    case 0: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
                    case 1: bytes[place] ^= 1 << UInt8(generator.next() % 8)
                    default: bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: place)
                    }
                }
                // What is a block after all has one spelling.
                if let block = try? TreeBlock(decoding: bytes) { #expect(block.encoded() == bytes) }
            }
        }
    }

    /// Parents that say something else of their children than these are.
    @Test func `a child that is not what its parent says is refused`() async throws {
        let blocks = MemoryTreeBlocks()
        let tree = VersionTree(blocks: blocks)
        func child(_ names: [String], last: String? = nil, files: Int64? = nil) throws -> TreeChild {
            let block = try TreeBlock(files: try names.map { try file($0, 10) })
            return TreeChild(
                lastPath: try path(last ?? names[names.count - 1]),
                digest: blocks.write(block.encoded()),
                totals: TreeTotals(fileCount: files ?? block.totals.fileCount, sizeBytes: block.totals.sizeBytes)
            )
        }
        func root(_ level: Int, _ children: [TreeChild]) throws -> Digest {
            try blocks.write(TreeBlock(level: level, children: children).encoded())
        }
        let good = try root(1, [try child(["a", "b"]), try child(["c"])])
        #expect(try await tree.entries(of: good).all().count == 3)

        let missing = TreeChild(
            lastPath: try path("x"),
            digest: try file("x", 4).digest,
            totals: TreeTotals(fileCount: 1, sizeBytes: 1)
        )
        let wrong = [
            try root(1, [try child(["a", "b"]), try child(["b", "c"])]),
            try root(1, [try child(["a", "b"], last: "c")]),
            try root(1, [try child(["a", "b"], files: 3)]),
            try root(2, [try child(["a", "b"])]),
            try root(1, [missing]),
            try root(
                2,
                [
                    TreeChild(
                        lastPath: try path("c"),
                        digest: good,
                        totals: TreeTotals(fileCount: 3, sizeBytes: 30)
                    ),
                    TreeChild(
                        lastPath: try path("d"),
                        digest: try root(1, [try child(["bb", "d"])]),
                        totals: TreeTotals(fileCount: 2, sizeBytes: 20)
                    ),
                ]
            ),
        ]
        for root in wrong {
            await #expect { try await tree.entries(of: root).all() } throws: { Self.isDataLoss($0) }
            await #expect { try await tree.diff(from: good, to: root).all() } throws: { Self.isDataLoss($0) }
        }
    }
}
