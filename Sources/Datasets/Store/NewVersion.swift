package import ApusVault

extension DatasetStore {
    /// What a commit makes a version of.
    package struct NewVersion: Sendable {
        /// The root of the tree of files, which is in the Vault already.
        package var root: Digest
        package var fileCount: Int64
        package var sizeBytes: Int64
        /// The blobs that the version before does not have: those of files, and of the tree.
        package var added: [Digest]
        package var message = ""
        package var author = "anonymous"
        package var origin = VersionOrigin.commit

        package init(root: Digest, fileCount: Int64, sizeBytes: Int64, added: [Digest]) {
            self.root = root
            self.fileCount = fileCount
            self.sizeBytes = sizeBytes
            self.added = added
        }

        /// A version of the files of a tree.
        ///
        /// `base` is the root of a version that the dataset has: what both share is not looked at.
        ///
        /// - Throws: As ``VersionTree``.
        package init(_ root: Digest, in tree: VersionTree, replacing base: Digest?) async throws {
            let totals = try await tree.totals(of: root)
            var added: Set<Digest> = []
            for try await reference in tree.references(of: root, excluding: base) { added.insert(reference.digest) }
            self.init(
                root: root,
                fileCount: totals.fileCount,
                sizeBytes: totals.sizeBytes,
                added: added.sorted()
            )
        }
    }
}
