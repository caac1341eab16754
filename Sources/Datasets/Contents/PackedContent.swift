import ApusVault

/// Where a small content lies: in a pack, a blob of many contents one behind the other.
struct PackedContent: Hashable, Sendable {
    /// The blob.
    let pack: Digest
    /// The offset of the content's first byte.
    let position: Int64
    let sizeBytes: Int64

    var range: Range<Int64> { position..<(position + sizeBytes) }
}
