/// What a store knows of a blob without reading it.
package struct BlobStatus: Hashable, Sendable {
    /// The blob's name.
    package let digest: Digest
    /// The number of bytes that are stored.
    package let sizeBytes: Int64
    /// When the content was last written or touched, in milliseconds since the Unix epoch.
    package let writtenMilliseconds: Int64

    package init(digest: Digest, sizeBytes: Int64, writtenMilliseconds: Int64) {
        self.digest = digest
        self.sizeBytes = sizeBytes
        self.writtenMilliseconds = writtenMilliseconds
    }
}
