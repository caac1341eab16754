package import NIOCore

/// Methods that can be called by gRPC.
package protocol GRPCService: Sendable {
    /// The methods by their path, such as `/grpc.health.v1.Health/Check`.
    var methods: [String: GRPCMethod] { get }
}

/// What answers the calls of one method.
///
/// A message is what Protocol Buffers make of it, without gRPC's prefix. An error of a closure ends its call: a
/// ``GRPCError`` or a `PublicError` as it is, anything else as an internal error.
package enum GRPCMethod: Sendable {
    /// One message, one answer.
    case unary(@Sendable (_ message: ByteBuffer, _ call: GRPCCall) async throws -> GRPCAnswer)
    /// Any number of messages, each with its answers.
    ///
    /// Some messages of a call are answered side by side; the answers leave in the order of the messages.
    case streaming(@Sendable (_ message: ByteBuffer, _ call: GRPCCall) async throws -> [GRPCAnswer])
}

/// A message on its way to the caller.
package struct GRPCAnswer: Sendable {
    /// The bytes of the prefix: whether the message is compressed, and its length.
    static let prefixLength = 5
    /// The prefix and the message.
    package let framed: ByteBuffer

    /// Lets `write` write the message, which will take about `capacity` bytes.
    package init(capacity: Int = 64, _ write: (inout ByteBuffer) -> Void) {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(Self.prefixLength + capacity)
        buffer.writeRepeatingByte(0, count: Self.prefixLength)
        write(&buffer)
        let length = UInt32(clamping: buffer.readableBytes - Self.prefixLength)
        buffer.setInteger(length, at: buffer.readerIndex + 1)
        framed = buffer
    }

    /// The message without its prefix.
    package var message: ByteBuffer {
        framed.getSlice(at: framed.readerIndex + Self.prefixLength, length: framed.readableBytes - Self.prefixLength)
            ?? ByteBuffer()
    }
}
