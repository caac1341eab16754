package import NIOCore

/// Reads the files of a tar archive as its bytes arrive; of links, devices and the like it wants nothing.
///
/// No more than a block of the stream and one entry's attributes are held, whatever sizes the archive claims.
package struct TarReader<Bytes: AsyncSequence> where Bytes.Element == ByteBuffer {
    /// The most bytes of the attributes of an entry, or of a long name.
    private static var maximumAttributeBytes: Int64 { 64 << 10 }

    private var iterator: Bytes.AsyncIterator
    private var pending = ByteBuffer()
    /// What is left of the present entry's content, and of the bytes that fill its last block.
    private var restOfContent: Int64 = 0
    private var restOfPadding = 0
    private var hasEnded = false

    package init(_ bytes: Bytes) {
        iterator = bytes.makeAsyncIterator()
    }

    /// The next file, or nil after the last; what was not read of the one before is passed over.
    ///
    /// Folders are passed over too.
    ///
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE` for what is no archive or is cut short, and for entries that
    ///   are neither files nor folders; what the stream throws.
    package mutating func next() async throws -> TarEntry? {
        try await skip(restOfContent + Int64(restOfPadding))
        restOfContent = 0
        restOfPadding = 0
        var longName: String?
        var attributes: [String: String] = [:]
        while !hasEnded {
            // An archive ends with blocks of zeros; some programs leave them out.
            guard let block = try await bytes(TarHeader.blockBytes, orEnd: true) else { break }
            guard let header = try TarHeader.fields(of: block[...]) else { break }
            let sizeText = attributes["size"]
            let size = sizeText.map { Int64($0) ?? -1 } ?? header.sizeBytes
            guard size >= 0 else { throw TarHeader.damaged("a size is negative") }
            switch header.kind {
            case UInt8(ascii: "0"), 0, UInt8(ascii: "7"):
                restOfContent = size
                restOfPadding = TarHeader.padding(of: size)
                return TarEntry(
                    name: attributes["path"] ?? longName ?? header.name,
                    sizeBytes: size,
                    isExecutable: header.mode & 0o100 != 0
                )
            case UInt8(ascii: "x"): attributes = try TarHeader.records(try await attributeBytes(size)[...])
            case UInt8(ascii: "L"): longName = try TarHeader.text(try await attributeBytes(size)[...])
            case UInt8(ascii: "g"): _ = try await attributeBytes(size)
            case UInt8(ascii: "5"):
                attributes = [:]
                longName = nil
            default:
                throw TarHeader.damaged(
                    "'\((attributes["path"] ?? longName ?? header.name).prefix(200))' is neither a file nor a folder"
                )
            }
        }
        hasEnded = true
        return nil
    }

    /// The next bytes of the present file, or nil at its end.
    package mutating func content() async throws -> ByteBuffer? {
        guard restOfContent > 0 else { return nil }
        if pending.readableBytes == 0 { try await more() }
        let count = Int(min(restOfContent, Int64(pending.readableBytes)))
        guard let part = pending.readSlice(length: count), count > 0 else { throw Self.cutShort }
        restOfContent -= Int64(count)
        return part
    }

    /// The present file whole.
    ///
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE` when it has more than `maximum` bytes.
    package mutating func wholeContent(upTo maximum: Int) async throws -> ByteBuffer {
        guard restOfContent <= Int64(maximum) else {
            throw TarHeader.damaged("a file has more than \(maximum) bytes")
        }
        guard var whole = try await content() else { return ByteBuffer() }
        while let part = try await content() { whole.writeImmutableBuffer(part) }
        return whole
    }

    private mutating func attributeBytes(_ size: Int64) async throws -> [UInt8] {
        guard size <= Self.maximumAttributeBytes, let count = Int(exactly: size),
            let found = try await bytes(count, orEnd: false)
        else { throw TarHeader.damaged("an entry has too many attributes") }
        try await skip(Int64(TarHeader.padding(of: size)))
        return found
    }

    /// So many bytes; nil when the stream has ended before the first, if it may.
    private mutating func bytes(_ count: Int, orEnd mayEnd: Bool) async throws -> [UInt8]? {
        var found: [UInt8] = []
        while found.count < count {
            if pending.readableBytes == 0, try await !fill() {
                guard mayEnd, found.isEmpty else { throw Self.cutShort }
                return nil
            }
            found += pending.readBytes(length: min(count - found.count, pending.readableBytes)) ?? []
        }
        return found
    }

    private mutating func skip(_ count: Int64) async throws {
        var rest = count
        while rest > 0 {
            if pending.readableBytes == 0 { try await more() }
            let some = Int(min(rest, Int64(pending.readableBytes)))
            pending.moveReaderIndex(forwardBy: some)
            rest -= Int64(some)
        }
    }

    private mutating func more() async throws {
        guard try await fill() else { throw Self.cutShort }
    }

    /// Whether there are more bytes.
    private mutating func fill() async throws -> Bool {
        while let next = try await iterator.next() {
            guard next.readableBytes > 0 else { continue }
            pending = next
            return true
        }
        return false
    }

    private static var cutShort: any Error { TarHeader.damaged("it ends in the middle") }
}
