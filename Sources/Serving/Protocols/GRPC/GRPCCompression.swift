import CZlib
import NIOCore

/// The ways in which callers may compress their messages; answers are not compressed.
enum GRPCCompression: String {
    case gzip
    case deflate

    /// For callers that ask what is understood.
    static let accepted = "identity,deflate,gzip"

    /// The message as it was before it was compressed.
    ///
    /// - Throws: ``GRPCError``: `invalidArgument` when it cannot be read, `resourceExhausted` when it is longer than
    ///   `limit`.
    func decompressed(_ message: ByteBuffer, limit: Int) throws -> ByteBuffer {
        var stream = z_stream()
        // 32 more lets zlib tell gzip's format from its own.
        guard inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw GRPCError(.resourceExhausted, "There is no memory to decompress a message.")
        }
        defer { inflateEnd(&stream) }
        var output = ByteBuffer()
        var result = Z_OK
        try message.withUnsafeReadableBytes { input in
            stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
            stream.avail_in = UInt32(clamping: input.count)
            while result == Z_OK {
                let piece = min(max(16_384, input.count * 2), 1 << 20)
                let written = output.writeWithUnsafeMutableBytes(minimumWritableBytes: piece) { space in
                    stream.next_out = space.bindMemory(to: UInt8.self).baseAddress
                    stream.avail_out = UInt32(clamping: space.count)
                    result = inflate(&stream, Z_NO_FLUSH)
                    return space.count - Int(stream.avail_out)
                }
                guard output.readableBytes <= limit else {
                    throw GRPCError(.resourceExhausted, "A message is longer than the \(limit) bytes that are taken.")
                }
                if written == 0, stream.avail_in == 0 { break }
            }
        }
        guard result == Z_STREAM_END, stream.avail_in == 0 else {
            throw GRPCError(.invalidArgument, "A message is not compressed as its call says.")
        }
        return output
    }
}
