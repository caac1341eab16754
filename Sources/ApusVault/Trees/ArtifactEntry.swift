/// A file or a directory of the artifact tree.
package struct ArtifactEntry: Hashable, Sendable {
    /// What the entry is called from the root on.
    package let key: ArtifactKey
    /// What a file holds, or nil for a directory.
    package let content: Content?
    /// When a file was last put, or a directory made, in milliseconds since the Unix epoch.
    package let modifiedMilliseconds: Int64

    /// The blob of a file.
    package struct Content: Hashable, Sendable {
        /// The SHA-256 of the bytes.
        package let digest: Digest
        /// The number of bytes.
        package let sizeBytes: Int64

        package init(digest: Digest, sizeBytes: Int64) {
            self.digest = digest
            self.sizeBytes = sizeBytes
        }
    }

    /// Whether the entry is a directory.
    package var isDirectory: Bool { content == nil }

    package init(key: ArtifactKey, content: Content?, modifiedMilliseconds: Int64) {
        self.key = key
        self.content = content
        self.modifiedMilliseconds = modifiedMilliseconds
    }
}
