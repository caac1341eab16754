internal import ApusVault

/// All files of a version, in the order of their paths.
package struct TreeEntries: AsyncSequence, Sendable {
    package typealias Element = FileEntry

    let root: Digest
    let blocks: any TreeBlocks

    package struct AsyncIterator: AsyncIteratorProtocol {
        let root: Digest
        let blocks: any TreeBlocks
        private var cursor: TreeCursor?

        init(root: Digest, blocks: any TreeBlocks) {
            self.root = root
            self.blocks = blocks
        }

        package mutating func next() async throws -> FileEntry? {
            if cursor == nil { cursor = try await TreeCursor(root: root, blocks: blocks) }
            return try await cursor?.next()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(root: root, blocks: blocks)
    }
}
