internal import ApusKernel
package import ApusVault
internal import NIOCore
internal import Synchronization

/// Trees' blocks as blobs of the Vault, with those that were used lately in memory.
///
/// A block of a version that is being made is young, and no sweep takes it within the grace time; the version must be
/// recorded by then, as it must for the contents of files.
package final class VaultTreeBlocks: TreeBlocks {
    private struct Cache {
        var young: [Digest: TreeBlock] = [:]
        var youngBytes = 0
        var old: [Digest: TreeBlock] = [:]
    }

    private let blobs: any BlobStore
    private let halfBytes: Int
    private let cache = Mutex(Cache())

    /// - Parameters:
    ///   - blobs: Where the blocks are.
    ///   - cacheBytes: About how much memory decoded blocks may take; a block of usual paths takes 100 kB.
    package init(blobs: any BlobStore, cacheBytes: Int = 32 << 20) {
        self.blobs = blobs
        halfBytes = max(cacheBytes, 0) / 2
    }

    package func read(_ digest: Digest) async throws -> TreeBlock {
        if let block = cached(digest) { return block }
        let reader = try await blobs.open(digest)
        guard reader.sizeBytes <= TreeBlock.maximumBytes else { throw TreeBlock.damaged }
        let buffer = try await reader.collect(upTo: Int64(TreeBlock.maximumBytes))
        let block = try buffer.withUnsafeReadableBytes { try TreeBlock(decoding: $0) }
        keep(block, as: digest)
        return block
    }

    package func write(_ blocks: [EncodedTreeBlock]) async throws {
        // At the same time, so that syncs are shared.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for block in blocks {
                group.addTask { [blobs] in
                    let expectation = BlobExpectation(digest: block.digest)
                    _ = try await blobs.write(ByteBuffer(bytes: block.bytes), expecting: expectation)
                }
            }
            try await group.waitForAll()
        }
        for block in blocks { keep(block.block, as: block.digest) }
    }

    private func cached(_ digest: Digest) -> TreeBlock? {
        let found = cache.withLock { cache -> (block: TreeBlock, isOld: Bool)? in
            if let block = cache.young[digest] { return (block, false) }
            return cache.old[digest].map { ($0, true) }
        }
        if let found, found.isOld { keep(found.block, as: digest) }
        return found?.block
    }

    /// Remembers a block; when the young ones take half of the memory, the older half is dropped.
    private func keep(_ block: TreeBlock, as digest: Digest) {
        let bytes = block.memoryBytes
        guard bytes <= halfBytes else { return }
        cache.withLock { cache in
            if cache.youngBytes + bytes > halfBytes {
                cache.old = cache.young
                cache.young = [:]
                cache.youngBytes = 0
            }
            if cache.young.updateValue(block, forKey: digest) == nil { cache.youngBytes += bytes }
        }
    }
}
