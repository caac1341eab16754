internal import ApusKernel
internal import ApusVault

extension TreeBlock {
    /// The most bytes that a block can have.
    package static let maximumBytes = 64 + maximumCount * (FilePath.maximumBytes + 128)

    /// Reads a block from bytes that may be anything.
    ///
    /// - Throws: ``RequestError`` `DATA_LOSS` when they are no block, or one that no tree has.
    package init(decoding bytes: [UInt8]) throws {
        self = try bytes.withUnsafeBytes { try TreeBlock(decoding: $0) }
    }

    /// Reads a block from bytes that may be anything.
    ///
    /// - Throws: ``RequestError`` `DATA_LOSS` when they are no block, or one that no tree has.
    package init(decoding bytes: UnsafeRawBufferPointer) throws {
        guard bytes.count <= Self.maximumBytes else { throw Self.damaged }
        var reader = TreeBlockReader(bytes: bytes)
        guard try reader.bytes(Self.magic.count).elementsEqual(Self.magic) else { throw Self.damaged }
        let level = Int(try reader.byte())
        // An item has more than 32 bytes, so that a count cannot promise more than there is.
        guard let count = Int(exactly: try reader.number()), count <= Self.maximumCount, level <= Self.maximumLevel,
            count <= bytes.count / Digest.byteCount, count > 0 || level == 0
        else { throw Self.damaged }
        if level == 0 {
            var files: [FileEntry] = []
            files.reserveCapacity(count)
            for _ in 0..<count { files.append(try reader.file()) }
            self = try Self.checked { try TreeBlock(files: files) }
        } else {
            var children: [TreeChild] = []
            children.reserveCapacity(count)
            for _ in 0..<count { children.append(try reader.child()) }
            self = try Self.checked { try TreeBlock(level: level, children: children) }
        }
        guard reader.isAtEnd else { throw Self.damaged }
    }

    /// Sums that overflow are nobody's request here.
    private static func checked(_ make: () throws -> TreeBlock) throws -> TreeBlock {
        do { return try make() } catch { throw damaged }
    }
}

/// A position in the bytes of a block.
private struct TreeBlockReader {
    private let raw: UnsafeRawBufferPointer
    private var position = 0
    /// The bytes of the newest path.
    private var path: [UInt8] = []

    init(bytes: UnsafeRawBufferPointer) {
        raw = bytes
    }

    var isAtEnd: Bool { position == raw.count }

    mutating func bytes(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= raw.count - position else { throw TreeBlock.damaged }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: raw[position..<position + count])
    }

    mutating func byte() throws -> UInt8 {
        guard position < raw.count else { throw TreeBlock.damaged }
        defer { position += 1 }
        return raw[position]
    }

    /// A varint in its shortest form.
    mutating func number() throws -> UInt64 {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            let byte = try byte()
            let bits = UInt64(byte & 0x7F)
            guard (bits << shift) >> shift == bits else { throw TreeBlock.damaged }
            number |= bits << shift
            guard byte < 0x80 else { continue }
            guard byte > 0 || shift == 0 else { throw TreeBlock.damaged }
            return number
        }
        throw TreeBlock.damaged
    }

    /// A number that is not negative.
    mutating func count() throws -> Int64 {
        guard let number = Int64(exactly: try number()) else { throw TreeBlock.damaged }
        return number
    }

    mutating func file() throws -> FileEntry {
        let path = try nextPath()
        let flags = try byte()
        guard flags & ~(TreeBlock.executableFlag | TreeBlock.md5Flag) == 0 else { throw TreeBlock.damaged }
        let sizeBytes = try count()
        let digest = try digest()
        let md5 = flags & TreeBlock.md5Flag == 0 ? nil : MD5Digest(raw: try bytes(MD5Digest.byteCount))
        return FileEntry(
            path: path,
            digest: digest,
            md5: md5,
            sizeBytes: sizeBytes,
            isExecutable: flags & TreeBlock.executableFlag != 0
        )
    }

    mutating func child() throws -> TreeChild {
        let path = try nextPath()
        let totals = TreeTotals(fileCount: try count(), sizeBytes: try count())
        guard totals.fileCount > 0 else { throw TreeBlock.damaged }
        return TreeChild(lastPath: path, digest: try digest(), totals: totals)
    }

    private mutating func digest() throws -> Digest {
        guard let digest = Digest(raw: try bytes(Digest.byteCount)) else { throw TreeBlock.damaged }
        return digest
    }

    /// A path that comes behind the one before.
    private mutating func nextPath() throws -> FilePath {
        guard let shared = Int(exactly: try number()), shared <= path.count,
            let count = Int(exactly: try number()), count <= FilePath.maximumBytes
        else { throw TreeBlock.damaged }
        let rest = try bytes(count)
        // It differs from the path before right behind what both share, and is greater there.
        guard let next = rest.first, shared == path.count || path[shared] < next else { throw TreeBlock.damaged }
        path.removeSubrange(shared...)
        path.append(contentsOf: rest)
        guard let result = path.withUnsafeBufferPointer({ FilePath(utf8: $0) }) else { throw TreeBlock.damaged }
        return result
    }
}
