import ApusKernel
internal import CZlib
package import HTTPTypes
package import NIOCore

/// How the bytes of a body are packed on their way, as `Content-Encoding` names it.
package enum ContentCoding: String, Sendable {
    case identity
    case gzip
    /// Zlib's format, which HTTP calls deflate; bodies without its header are read too.
    case deflate

    /// Less than that is unpacked or packed at a time.
    private static let pieceBytes = 1 << 16

    /// How a request's body is packed.
    ///
    /// - Throws: `RequestError` `INVALID_PARAMETER_VALUE` for a coding that is not known, or more than one.
    package init(of headers: HTTPFields) throws {
        guard let name = headers[.contentEncoding] else {
            self = .identity
            return
        }
        let plain = name.lowercased().filter { $0 != " " }
        guard let coding = plain.isEmpty ? .identity : ContentCoding(rawValue: plain == "x-gzip" ? "gzip" : plain)
        else {
            throw RequestError.invalid("Content-Encoding '\(name.prefix(100))' is not known: gzip and deflate are.")
        }
        self = coding
    }

    /// The coding that a caller asked for: the only one that its `Accept-Encoding` names.
    ///
    /// Most libraries name several by default, whoever they talk to. That is no wish, and packing costs more time than
    /// it saves on the networks that predictions travel on.
    package init(wantedBy headers: HTTPFields) {
        let name = headers[.acceptEncoding].map { $0.lowercased().filter { $0 != " " } }
        self = name.flatMap(ContentCoding.init(rawValue:)) ?? .identity
    }

    /// The bytes as they were before they were packed.
    ///
    /// - Throws: `RequestError` `INVALID_PARAMETER_VALUE` when they are damaged, or have more than `maximum` bytes once
    ///   they are unpacked.
    package func unpacked(_ bytes: ByteBuffer, upTo maximum: Int) throws -> ByteBuffer {
        guard self != .identity else { return bytes }
        return try bytes.withUnsafeReadableBytes { input in
            try unpacked(input, upTo: maximum)
        }
    }

    private func unpacked(_ input: UnsafeRawBufferPointer, upTo maximum: Int) throws -> ByteBuffer {
        guard !input.isEmpty else { throw damaged }
        guard input.count < Int(UInt32.max) else { throw tooLarge(maximum) }
        var stream = z_stream()
        guard apus_inflate_begin(&stream, windowBits(input)) == Z_OK else { throw Self.noMemory }
        defer { inflateEnd(&stream) }
        stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        stream.avail_in = UInt32(input.count)
        var output = ByteBuffer()
        output.reserveCapacity(min(maximum, input.count * 4))
        while true {
            // One byte more than allowed tells a body that is too large from one that just fits.
            let room = min(Self.pieceBytes, maximum - output.readableBytes + 1)
            var code = Z_OK
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
                stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
                stream.avail_out = UInt32(room)
                code = CZlib.inflate(&stream, Z_NO_FLUSH)
                return room - Int(stream.avail_out)
            }
            guard output.readableBytes <= maximum else { throw tooLarge(maximum) }
            if code == Z_STREAM_END {
                if stream.avail_in == 0 { return output }
                // A gzip body may have several members, one after the other.
                guard self == .gzip, inflateReset(&stream) == Z_OK else { throw damaged }
            } else if code != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0) {
                throw damaged
            }
        }
    }

    /// What zlib is to expect; some clients leave out the header of zlib's format.
    private func windowBits(_ input: UnsafeRawBufferPointer) -> Int32 {
        guard self == .deflate else { return 15 + 16 }
        guard input.count >= 2, input[0] & 0x0F == 8 else { return -15 }
        return (Int(input[0]) << 8 | Int(input[1])) % 31 == 0 ? 15 : -15
    }

    private var damaged: RequestError { .invalid("The body is not what \(rawValue) makes, or it ends too early.") }

    private func tooLarge(_ maximum: Int) -> RequestError {
        .invalid("The request body is larger than \(maximum) bytes once it is unpacked.")
    }

    private static let noMemory = RequestError(.temporarilyUnavailable, "The server has no memory to unpack the body.")

    /// The bytes of several buffers, packed as one; nil when that is not possible, or for ``identity``.
    package func packed(_ pieces: [ByteBuffer], level: Int32 = 1) -> ByteBuffer? {
        guard self != .identity else { return nil }
        var stream = z_stream()
        guard apus_deflate_begin(&stream, level, self == .gzip ? 15 + 16 : 15) == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        var output = ByteBuffer()
        for (index, piece) in pieces.enumerated() {
            let isLast = index == pieces.count - 1
            let isDone = piece.withUnsafeReadableBytes { pack($0, isLast, &stream, &output) }
            guard isDone else { return nil }
        }
        return output
    }

    private func pack(
        _ input: UnsafeRawBufferPointer,
        _ isLast: Bool,
        _ stream: inout z_stream,
        _ output: inout ByteBuffer
    ) -> Bool {
        guard input.count < Int(UInt32.max) else { return false }
        stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        stream.avail_in = UInt32(input.count)
        while true {
            var code = Z_OK
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceBytes) { target in
                let room = min(target.count, Int(UInt32.max))
                stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
                stream.avail_out = UInt32(room)
                code = CZlib.deflate(&stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                return room - Int(stream.avail_out)
            }
            if code == Z_STREAM_END { return true }
            guard code == Z_OK || code == Z_BUF_ERROR else { return false }
            if !isLast, stream.avail_in == 0, stream.avail_out > 0 { return true }
        }
    }
}
