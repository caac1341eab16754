/// A content that is on disk.
package struct StoredBlob: Hashable, Sendable {
    /// The SHA-256 of the bytes.
    package let digest: Digest
    /// The number of bytes.
    package let sizeBytes: Int64
    /// Whether the store had the content already.
    package let wasPresent: Bool

    package init(digest: Digest, sizeBytes: Int64, wasPresent: Bool) {
        self.digest = digest
        self.sizeBytes = sizeBytes
        self.wasPresent = wasPresent
    }
}
