package import ApusGateway
package import NIOCore

/// A message as it came in.
package struct GRPCMessage {
    /// The message without its prefix, as it was sent.
    package let bytes: ByteBuffer
    /// How it is compressed.
    let coding: ContentCoding

    /// A message that is compressed in this way.
    package init(bytes: ByteBuffer, coding: ContentCoding) {
        self.bytes = bytes
        self.coding = coding
    }

    /// The ways in which callers may compress their messages; answers are not compressed.
    static let codings: [ContentCoding] = [.identity, .deflate, .gzip]

    /// The message as it was before it was compressed.
    ///
    /// - Throws: ``GRPCError``: `invalidArgument` when it cannot be read, `resourceExhausted` when it is longer than
    ///   `limit`, or others take all the memory.
    package func decompressed(limit: Int, _ reservation: MemoryReservation) async throws -> ByteBuffer {
        do {
            return try await coding.unpacked(bytes, upTo: limit, reservation)
        } catch ContentCoding.UnpackingError.damaged {
            throw GRPCError(.invalidArgument, "A message is not compressed as its call says.")
        } catch ContentCoding.UnpackingError.tooLarge {
            throw GRPCError(.resourceExhausted, "A message is longer than the \(limit) bytes that are taken.")
        } catch {
            throw GRPCError(.resourceExhausted, "The server has too many messages in memory; try again later.")
        }
    }
}

/// Takes messages out of a call's bytes.
package struct GRPCMessageReader {
    private let limit: Int
    /// Nil when the call's messages are not compressed.
    private let compression: ContentCoding?
    private var buffer = ByteBuffer()

    /// Takes messages of at most `limit` bytes, compressed as their call says; nil when it says nothing of that.
    package init(limit: Int, compression: ContentCoding?) {
        self.limit = limit
        self.compression = compression
    }

    /// How many bytes wait for the rest of their message.
    package var waitingBytes: Int { buffer.readableBytes }

    /// Adds what came next.
    package mutating func append(_ bytes: ByteBuffer) {
        guard buffer.readableBytes > 0 else {
            buffer = bytes
            return
        }
        if buffer.writableBytes < bytes.readableBytes {
            // Most of what is still to come, but no more than what was sent already: an announcement alone takes nothing.
            let missing = max(0, announcedLength ?? 0) - buffer.readableBytes
            buffer.reserveCapacity(
                minimumWritableBytes: max(bytes.readableBytes, min(missing, buffer.readableBytes * 4))
            )
        }
        buffer.writeImmutableBuffer(bytes)
    }

    /// The length of the message that is being read, with its prefix.
    private var announcedLength: Int? {
        buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self).map { Int($0) + GRPCAnswer.prefixLength }
    }

    /// The next message; nil when it is not whole.
    ///
    /// - Throws: ``GRPCError``: `resourceExhausted` when one is announced that is too long, `invalidArgument` for a prefix
    ///   that means nothing.
    package mutating func next() throws -> GRPCMessage? {
        guard let announcedLength, let flag = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else {
            return nil
        }
        let length = announcedLength - GRPCAnswer.prefixLength
        guard length <= limit else {
            throw GRPCError(
                .resourceExhausted,
                "A message of \(length) bytes is longer than the \(limit) that are taken."
            )
        }
        guard buffer.readableBytes >= announcedLength else { return nil }
        buffer.moveReaderIndex(forwardBy: GRPCAnswer.prefixLength)
        guard let message = buffer.readSlice(length: length) else { return nil }
        if buffer.readableBytes == 0 { buffer = ByteBuffer() }
        switch flag {
        case 0: return GRPCMessage(bytes: message, coding: .identity)
        case 1:
            guard let compression else {
                throw GRPCError(.invalidArgument, "A message is marked as compressed, and grpc-encoding names no way.")
            }
            return GRPCMessage(bytes: message, coding: compression)
        default: throw GRPCError(.invalidArgument, "A message's prefix is malformed.")
        }
    }
}
