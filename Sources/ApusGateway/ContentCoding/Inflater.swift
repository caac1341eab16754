import CZlib
import NIOCore

/// Unpacks what zlib packed, piece by piece.
final class Inflater {
    enum Failure: Error {
        case damaged
        case noMemory
    }

    /// The stream stays where it is: zlib keeps its address.
    private let stream: UnsafeMutablePointer<z_stream>
    /// Whether another packed member may follow the first.
    private let hasMembers: Bool
    private var input: ByteBuffer
    private(set) var isAtEnd = false

    /// - Throws: ``Failure`` `noMemory`.
    init(_ input: ByteBuffer, windowBits: Int32, hasMembers: Bool) throws {
        self.input = input
        self.hasMembers = hasMembers
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard apus_inflate_begin(stream, windowBits) == Z_OK else {
            stream.deallocate()
            throw Failure.noMemory
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Appends at most `limit` bytes more of what was packed; fewer only at the end.
    ///
    /// - Throws: ``Failure`` `damaged` when the bytes are not what zlib makes, or end too early.
    func unpack(upTo limit: Int, into output: inout ByteBuffer) throws {
        var missing = limit
        while missing > 0, !isAtEnd {
            var code = Z_OK
            var taken = 0
            let written = input.withUnsafeReadableBytes { bytes in
                let available = min(bytes.count, Int(Int32.max))
                stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
                stream.pointee.avail_in = UInt32(available)
                let room = min(missing, 1 << 16)
                let count = output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
                    stream.pointee.next_out = target.bindMemory(to: UInt8.self).baseAddress
                    stream.pointee.avail_out = UInt32(room)
                    code = CZlib.inflate(stream, Z_NO_FLUSH)
                    return room - Int(stream.pointee.avail_out)
                }
                taken = available - Int(stream.pointee.avail_in)
                return count
            }
            input.moveReaderIndex(forwardBy: taken)
            missing -= written
            if code == Z_STREAM_END {
                if input.readableBytes == 0 {
                    isAtEnd = true
                } else {
                    guard hasMembers, inflateReset(stream) == Z_OK else { throw Failure.damaged }
                }
            } else if code != Z_OK || (written == 0 && taken == 0) {
                throw Failure.damaged
            }
        }
    }
}
