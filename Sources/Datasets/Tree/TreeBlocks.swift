internal import ApusKernel
package import ApusVault

/// Keeps the blocks of trees by the SHA-256 of their bytes.
package protocol TreeBlocks: Sendable {
    /// The block of a digest.
    ///
    /// - Throws: ``RequestError`` `DATA_LOSS` when it is missing, or its bytes are no block.
    func read(_ digest: Digest) async throws -> TreeBlock

    /// Stores blocks; all are durable when this returns. One that is there already is stored once.
    func write(_ blocks: [EncodedTreeBlock]) async throws
}

extension TreeBlocks {
    /// Reads a block that another one refers to, and checks that it is what the other says.
    ///
    /// - Parameters:
    ///   - child: What the parent says.
    ///   - level: The level that the parent implies.
    ///   - lowerBound: The last path before the block, or nil for the first block.
    /// - Returns: The block.
    /// - Throws: ``RequestError`` `DATA_LOSS`.
    func read(_ child: TreeChild, level: Int, after lowerBound: FilePath?) async throws -> TreeBlock {
        let block = try await read(child.digest)
        guard block.level == level, block.totals == child.totals, block.lastPath == child.lastPath else {
            throw TreeBlock.damaged
        }
        if let lowerBound, let first = block.firstItemPath, first <= lowerBound { throw TreeBlock.damaged }
        return block
    }
}
