package import ApusKernel
internal import CZlib
package import HTTPTypes
package import NIOCore

/// How the bytes of a body are packed on their way, as `Content-Encoding` names it.
package enum ContentCoding: String, Sendable {
    case identity
    case gzip
    /// Zlib's format, which HTTP calls deflate; bodies without its header are read too.
    case deflate

    /// So much is unpacked, or packed, at a time.
    private static let pieceBytes = 1 << 18

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

    /// Why bytes cannot be unpacked.
    package enum UnpackingError: PublicError {
        case damaged(ContentCoding)
        case tooLarge(Int)
        case noMemory

        package var code: ErrorCode {
            if case .noMemory = self { .temporarilyUnavailable } else { .invalidParameterValue }
        }

        package var message: String {
            switch self {
            case .damaged(let coding): "The body is not what \(coding.rawValue) makes, or it ends too early."
            case .tooLarge(let maximum): "The request body is larger than \(maximum) bytes once it is unpacked."
            case .noMemory: "The server has no memory to unpack the body."
            }
        }
    }

    /// The bytes as they were before they were packed.
    ///
    /// A few bytes may unpack to many, so others get their turn meanwhile, and what is unpacked is counted as it grows.
    ///
    /// - Parameters:
    ///   - bytes: What was packed.
    ///   - maximum: The most that it may unpack to, in bytes.
    ///   - reservation: Counts what is unpacked, for as long as it is held.
    /// - Returns: What was packed.
    /// - Throws: ``UnpackingError``.
    package func unpacked(
        _ bytes: ByteBuffer,
        upTo maximum: Int,
        _ reservation: MemoryReservation
    ) async throws -> ByteBuffer {
        guard self != .identity else { return bytes }
        guard bytes.readableBytes > 0 else { throw UnpackingError.damaged(self) }
        do {
            let inflater = try Inflater(bytes, windowBits: windowBits(bytes), hasMembers: self == .gzip)
            var output = ByteBuffer()
            while !inflater.isAtEnd {
                // One byte more than allowed tells a body that is too large from one that just fits.
                let room = min(Self.pieceBytes, maximum - output.readableBytes + 1)
                guard reservation.add(room) else { throw UnpackingError.noMemory }
                try inflater.unpack(upTo: room, into: &output)
                guard output.readableBytes <= maximum else { throw UnpackingError.tooLarge(maximum) }
                if !inflater.isAtEnd { await Task.yield() }
            }
            return output
        } catch let failure as Inflater.Failure {
            throw failure == .damaged ? UnpackingError.damaged(self) : UnpackingError.noMemory
        }
    }

    /// What zlib is to expect; some clients leave out the header of zlib's format.
    private func windowBits(_ bytes: ByteBuffer) -> Int32 {
        guard self == .deflate else { return 15 + 16 }
        guard let header = bytes.getInteger(at: bytes.readerIndex, as: UInt16.self), header >> 8 & 0x0F == 8 else {
            return -15
        }
        return header % 31 == 0 ? 15 : -15
    }

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
