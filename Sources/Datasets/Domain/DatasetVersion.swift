package import ApusVault

/// A state of a dataset that never changes: its files, and how it came to be.
package struct DatasetVersion: Sendable, Hashable {
    /// Counts the versions of the dataset, from 1.
    package let number: Int64
    /// SHA-256 over all else that is said of it here.
    package let identifier: Digest
    /// The root of the tree of its files.
    package let root: Digest
    /// The number of the version that it was made from; nil for a first one.
    package let parent: Int64?
    package let message: String
    package let author: String
    package let created: Int64
    package let fileCount: Int64
    /// The sizes of its files together.
    package let sizeBytes: Int64
    package let origin: VersionOrigin

    /// The identifier of a version.
    static func identifier(
        dataset: String,
        number: Int64,
        root: Digest,
        parent: Digest?,
        message: String,
        author: String,
        created: Int64,
        origin: VersionOrigin
    ) -> Digest {
        let parts = [
            "apus dataset version 1", dataset, String(number), root.hex, parent?.hex ?? "", message, author,
            String(created),
            origin.kind, origin.detail,
        ]
        // Each part with its length, so that no two sets of parts read alike.
        return Digest(hashing: parts.flatMap { Array("\($0.utf8.count):\($0)".utf8) })
    }
}

/// How a version came to be.
package struct VersionOrigin: Sendable, Hashable {
    /// Such as `commit` or `dvc`.
    package let kind: String
    /// What tells one such act from another, such as the name of a manifest; may be empty.
    package let detail: String

    package init(_ kind: String, _ detail: String = "") {
        self.kind = kind
        self.detail = detail
    }

    /// Files that were given one by one.
    package static let commit = VersionOrigin("commit")
    /// A directory that `dvc push` brought, by the name of its manifest.
    package static func dvc(_ manifest: String) -> VersionOrigin { VersionOrigin("dvc", manifest) }
}
