package import ApusVault

/// A file of a dataset version.
package struct FileEntry: Hashable, Sendable {
    /// Where the file is, from the dataset's root on.
    package var path: FilePath
    /// The SHA-256 of the content, which is the blob's name in the Vault.
    package var digest: Digest
    /// The MD5 of the content, by which DVC knows it, if it was asked for.
    package var md5: MD5Digest?
    /// The number of bytes, not negative.
    package var sizeBytes: Int64
    /// Whether a checked-out copy may be executed.
    package var isExecutable: Bool

    package init(
        path: FilePath,
        digest: Digest,
        md5: MD5Digest? = nil,
        sizeBytes: Int64,
        isExecutable: Bool = false
    ) {
        self.path = path
        self.digest = digest
        self.md5 = md5
        self.sizeBytes = sizeBytes
        self.isExecutable = isExecutable
    }
}
