package import ApusVault

/// A block, its bytes, and its name.
package struct EncodedTreeBlock: Sendable {
    /// The block.
    package let block: TreeBlock
    /// What is stored.
    package let bytes: [UInt8]
    /// The SHA-256 of the bytes.
    package let digest: Digest

    package init(_ block: TreeBlock) {
        self.block = block
        bytes = block.encoded()
        digest = Digest(hashing: bytes)
    }
}
