internal import ApusVault

/// What is not the same in two versions, in the order of paths.
package struct TreeDiff: AsyncSequence, Sendable {
    package typealias Element = FileDifference

    let old: Digest
    let new: Digest
    let blocks: any TreeBlocks

    package struct AsyncIterator: AsyncIteratorProtocol {
        private let diff: TreeDiff
        private var comparison: TreeComparison?

        init(_ diff: TreeDiff) {
            self.diff = diff
        }

        package mutating func next() async throws -> FileDifference? {
            guard diff.old != diff.new else { return nil }
            if comparison == nil {
                comparison = TreeComparison(
                    old: try await TreeCursor(root: diff.old, blocks: diff.blocks),
                    new: try await TreeCursor(root: diff.new, blocks: diff.blocks)
                )
            }
            while let event = try await comparison?.next() {
                switch event {
                case .entered: continue
                case .onlyOld(let entry): return .removed(entry)
                case .onlyNew(let entry): return .added(entry)
                case .different(let old, let new): return .changed(from: old, to: new)
                }
            }
            return nil
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self)
    }
}
