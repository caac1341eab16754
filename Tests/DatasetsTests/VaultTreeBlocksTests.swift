import ApusKernel
import ApusVault
import Datasets
import FoundationEssentials
import Logging
import NIOCore
import Testing

/// Trees in a real Vault.
@Suite struct VaultTreeBlocksTests {
    private static func withVault(_ body: (LocalBlobStore) async throws -> Void) async throws {
        let path = "\(FileManager.default.temporaryDirectory.path)/apus-trees-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        try await body(LocalBlobStore(path: path, logger: logger))
    }

    @Test func `a version is there for those who open the vault later`() async throws {
        try await Self.withVault { vault in
            let entries = try (0..<5_000).map { try file("f/\(10_000 + $0)", UInt64($0)) }
            let root = try await VersionTree(blocks: VaultTreeBlocks(blobs: vault)).build(entries)
            let inMemory = try await VersionTree(blocks: MemoryTreeBlocks()).build(entries)
            #expect(root == inMemory)
            // With a cache that holds all, little, and nothing.
            for cacheBytes in [32 << 20, 300_000, 0] {
                let tree = VersionTree(blocks: VaultTreeBlocks(blobs: vault, cacheBytes: cacheBytes))
                for _ in 0..<2 { #expect(try await tree.entries(of: root).all() == entries) }
            }
        }
    }

    @Test func `what is used again is not read again`() async throws {
        try await Self.withVault { vault in
            let entries = try (0..<2_000).map { try file("f/\(10_000 + $0)", UInt64($0)) }
            let kept = VersionTree(blocks: VaultTreeBlocks(blobs: vault))
            let unkept = VersionTree(blocks: VaultTreeBlocks(blobs: vault, cacheBytes: 0))
            let root = try await kept.build(entries)
            _ = try await vault.delete(root)
            #expect(try await kept.totals(of: root).fileCount == 2_000)
            await #expect { try await unkept.totals(of: root) } throws: { ($0 as? RequestError)?.code == .dataLoss }
        }
    }

    @Test func `a sweep by references keeps a version and takes what only another had`() async throws {
        try await Self.withVault { vault in
            let tree = VersionTree(blocks: VaultTreeBlocks(blobs: vault, cacheBytes: 0))
            let entries = try (0..<3_000).map { try file("f/\(10_000 + $0)", UInt64($0)) }
            let kept = try await tree.build(entries)
            let dropped = try await tree.apply([.put(try file("f/11234", 5_000_000))], to: kept)
            let referenced = Set(try await tree.references(of: kept).all().map(\.digest))
            let only = try await tree.references(of: dropped, excluding: kept).all()
            let blocks = only.filter { if case .block = $0 { true } else { false } }
            #expect(!blocks.isEmpty)

            // A clock that is ahead makes all blobs old.
            let report = try await vault.sweep(at: LateClock()) { referenced.intersection($0) }
            #expect(report.removedCount == blocks.count)
            #expect(try await tree.entries(of: kept).all() == entries)
            await #expect(throws: RequestError.self) { try await tree.totals(of: dropped) }
        }
    }

    @Test func `a blob that is no block is refused`() async throws {
        try await Self.withVault { vault in
            let tree = VersionTree(blocks: VaultTreeBlocks(blobs: vault))
            for bytes in [[], Array("data".utf8), [UInt8](repeating: 1, count: TreeBlock.maximumBytes + 1)] {
                let blob = try await vault.write(ByteBuffer(bytes: bytes))
                await #expect { try await tree.totals(of: blob.digest) } throws: {
                    ($0 as? RequestError)?.code == .dataLoss
                }
            }
        }
    }
}
