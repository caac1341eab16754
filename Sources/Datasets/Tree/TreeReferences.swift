package import ApusVault

/// A blob that a version refers to.
package enum TreeReference: Hashable, Sendable {
    /// A block of the tree.
    case block(Digest)
    /// The content of a file.
    case content(Digest)

    /// The blob's name.
    package var digest: Digest {
        switch self {
        case .block(let digest), .content(let digest): digest
        }
    }
}

/// The blobs that a version refers to, each block before what is below it.
package struct TreeReferences: AsyncSequence, Sendable {
    package typealias Element = TreeReference

    let root: Digest
    let base: Digest?
    let visited: Set<Digest>
    let blocks: any TreeBlocks

    package struct AsyncIterator: AsyncIteratorProtocol {
        private let references: TreeReferences
        private var comparison: TreeComparison?

        init(_ references: TreeReferences) {
            self.references = references
        }

        package mutating func next() async throws -> TreeReference? {
            let (root, blocks) = (references.root, references.blocks)
            guard comparison != nil else {
                guard root != references.base, !references.visited.contains(root) else { return nil }
                var base = TreeCursor(empty: blocks)
                if let root = references.base { base = try await TreeCursor(root: root, blocks: blocks) }
                comparison = TreeComparison(
                    old: base,
                    new: try await TreeCursor(root: root, blocks: blocks),
                    wantsOld: false,
                    visited: references.visited
                )
                return .block(root)
            }
            while let event = try await comparison?.next() {
                switch event {
                case .entered(let digest): return .block(digest)
                case .onlyOld: continue
                case .onlyNew(let entry): return .content(entry.digest)
                case .different(let old, let new):
                    // The same content with another MD5 or permission is not new.
                    if old.digest != new.digest { return .content(new.digest) }
                }
            }
            return nil
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self)
    }
}
