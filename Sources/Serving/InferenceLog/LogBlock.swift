internal import CZlib
import NIOCore

/// A block of a segment: 48 bytes of head, then records, deflated by zlib.
///
/// The head names the lengths, how many records there are and between which times they lie, and has checksums of the
/// payload and of itself: a block that was written in part is told from a whole one at every byte.
struct LogBlock: Sendable, Equatable {
    static let headBytes = 48
    /// More is never written, so that a reader knows how much memory it takes at most.
    static let largestPayload = 16 << 20
    private static let magic: UInt32 = 0x4C49_5041  // "APIL" in the file
    private static let format: UInt16 = 1

    /// The length of the payload in the file.
    var storedBytes: Int
    /// The length of the records.
    var rawBytes: Int
    var records: Int
    /// The least and the greatest time of a record, in milliseconds since 1970.
    var first: Int64
    var last: Int64
    private var checksum: UInt32

    /// The length of the block in the file.
    var length: Int { Self.headBytes + storedBytes }

    /// Deflates records into a block; nil when memory is short.
    ///
    /// `level` is from 1, fast, to 9, small. What comes out is what the head says, and the block's bytes.
    static func make(_ raw: ByteBuffer, records: Int, first: Int64, last: Int64, level: Int32) -> (LogBlock, [UInt8])? {
        let count = raw.readableBytes
        guard count > 0, count <= largestPayload else { return nil }
        var stored = compressBound(uLong(count))
        var bytes = [UInt8](repeating: 0, count: headBytes + Int(stored))
        let code = bytes.withUnsafeMutableBytes { output in
            raw.withUnsafeReadableBytes { input in
                compress2(
                    output.baseAddress?.advanced(by: headBytes).assumingMemoryBound(to: UInt8.self),
                    &stored,
                    input.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    uLong(count),
                    level
                )
            }
        }
        guard code == Z_OK else { return nil }
        bytes.removeLast(bytes.count - headBytes - Int(stored))
        let block = LogBlock(
            storedBytes: Int(stored),
            rawBytes: count,
            records: records,
            first: first,
            last: last,
            checksum: checksum(of: bytes[headBytes...])
        )
        bytes.replaceSubrange(..<headBytes, with: block.head)
        return (block, bytes)
    }

    private var head: [UInt8] {
        var head = ByteBuffer()
        head.writeInteger(Self.magic, endianness: .little)
        head.writeInteger(Self.format, endianness: .little)
        head.writeInteger(UInt16(0), endianness: .little)
        for number in [storedBytes, rawBytes, records, 0] {
            head.writeInteger(UInt32(clamping: number), endianness: .little)
        }
        head.writeInteger(first, endianness: .little)
        head.writeInteger(last, endianness: .little)
        head.writeInteger(checksum, endianness: .little)
        head.writeInteger(Self.checksum(of: Array(head.readableBytesView)[...]), endianness: .little)
        return Array(head.readableBytesView)
    }

    /// Reads a head; nil for bytes that are none.
    static func head(_ bytes: ArraySlice<UInt8>) -> LogBlock? {
        guard bytes.count == headBytes else { return nil }
        var head = ByteBuffer(bytes: bytes)
        guard head.readInteger(endianness: .little, as: UInt32.self) == magic,
            head.readInteger(endianness: .little, as: UInt16.self) == format,
            head.readInteger(endianness: .little, as: UInt16.self) == 0
        else { return nil }
        let numbers = (0..<4).compactMap { _ in head.readInteger(endianness: .little, as: UInt32.self).map { Int($0) } }
        guard numbers.count == 4, let first = head.readInteger(endianness: .little, as: Int64.self),
            let last = head.readInteger(endianness: .little, as: Int64.self),
            let payload = head.readInteger(endianness: .little, as: UInt32.self),
            head.readInteger(endianness: .little, as: UInt32.self) == checksum(of: bytes.prefix(headBytes - 4)),
            numbers[1] <= largestPayload, numbers[0] <= Int(compressBound(uLong(numbers[1])))
        else { return nil }
        return LogBlock(
            storedBytes: numbers[0],
            rawBytes: numbers[1],
            records: numbers[2],
            first: first,
            last: last,
            checksum: payload
        )
    }

    /// Whether these are the bytes that the head was made for.
    func matches(_ payload: ArraySlice<UInt8>) -> Bool {
        payload.count == storedBytes && Self.checksum(of: payload) == checksum
    }

    /// The records' bytes; nil when the payload is damaged.
    func inflated(_ payload: ArraySlice<UInt8>) -> ByteBuffer? {
        guard matches(payload) else { return nil }
        var raw = ByteBuffer()
        raw.reserveCapacity(rawBytes)
        var count = uLong(rawBytes)
        let code = raw.writeWithUnsafeMutableBytes(minimumWritableBytes: rawBytes) { output -> Int in
            let code = payload.withUnsafeBytes { input in
                uncompress(
                    output.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    &count,
                    input.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    uLong(payload.count)
                )
            }
            return code == Z_OK ? Int(count) : 0
        }
        return code == rawBytes ? raw : nil
    }

    private static func checksum(of bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.withUnsafeBytes { bytes in
            UInt32(
                truncatingIfNeeded: crc32(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), uInt(bytes.count))
            )
        }
    }
}
