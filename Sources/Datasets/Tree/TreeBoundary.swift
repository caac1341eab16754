/// Where blocks end, so that one set of files has one tree whatever its history.
///
/// The rule sees the number of items in the block and the path of its last one, and nothing behind it. So the blocks
/// of a sequence of items are a function of the sequence: cutting can begin anew at any block's first item, and from
/// the first place where an old and a new block end together on, all old blocks are those that cutting anew would
/// make. Contents of files have no part in it, so that a change of one rewrites the blocks above it only.
///
/// Up to a minimum no block ends; then a path whose hash begins with many zero bits ends it, later one with fewer, and
/// at last the maximum does. Whoever chooses paths whose hashes end no block gets blocks of the maximum, and pays for
/// a file that is added or removed by having the blocks behind it written anew; they stay bounded.
///
/// - SeeAlso: Prolly trees of Noms and Dolt; normalised chunking in FastCDC (Xia et al., 2016).
package struct TreeBoundary: Hashable, Sendable {
    /// A block with fewer items ends only with its tree; at least 2.
    package let minimumCount: Int
    /// With fewer items a block ends at a hash that begins with ``rareBits`` zeros, from then on with ``commonBits``.
    package let usualCount: Int
    /// No block has more items; at most ``TreeBlock/maximumCount``.
    package let maximumCount: Int
    /// One path in 2 to the power of so many ends a small block.
    package let rareBits: Int
    /// One path in 2 to the power of so many ends a large block.
    package let commonBits: Int

    package init(minimumCount: Int, usualCount: Int, maximumCount: Int, rareBits: Int, commonBits: Int) {
        self.minimumCount = minimumCount
        self.usualCount = usualCount
        self.maximumCount = maximumCount
        self.rareBits = rareBits
        self.commonBits = commonBits
    }

    /// The rule of all stored trees: blocks of about 500 items.
    ///
    /// Others are for tests, as they make other roots.
    package static let standard = TreeBoundary(
        minimumCount: 128,
        usualCount: 512,
        maximumCount: TreeBlock.maximumCount,
        rareBits: 10,
        commonBits: 6
    )

    /// Whether a block ends behind its newest item.
    ///
    /// - Parameters:
    ///   - path: The item's last path.
    ///   - level: The block's level; each cuts by a hash of its own.
    ///   - count: The items in the block, the newest included.
    /// - Returns: Whether the next item begins a block.
    package func isEnd(_ path: FilePath, level: Int, count: Int) -> Bool {
        guard count >= minimumCount else { return false }
        guard count < maximumCount else { return true }
        return Self.hash(path, level: level) >> UInt64(64 - (count < usualCount ? rareBits : commonBits)) == 0
    }

    /// FNV-1a of the path's bytes, begun with the level, and mixed by the last step of MurmurHash3.
    ///
    /// It is a part of the format: another one would give the same files another root.
    package static func hash(_ path: FilePath, level: Int) -> UInt64 {
        PathBytes.with(path.text) { bytes in
            var hash = (0xCBF2_9CE4_8422_2325 ^ UInt64(truncatingIfNeeded: level)) &* 0x100_0000_01B3
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
            hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
            return hash ^ (hash >> 33)
        }
    }
}
