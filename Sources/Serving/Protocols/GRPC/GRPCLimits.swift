import ApusGateway
package import NIOCore

/// What one caller, and all callers together, may take.
package struct GRPCLimits: Sendable {
    /// The longest message that is taken, in bytes, after it is decompressed.
    package var messageBytes = 128 << 20
    /// How many bytes may be in memory at once: of messages before they are answered, and of answers before they left.
    package var totalMessageBytes = 1 << 30
    /// Connections at once; further ones are closed.
    package var connections = min(65_536, Descriptors.limit / 20 * 7)
    /// Calls at once on one connection; clients keep further ones back.
    package var callsPerConnection = 1_024
    /// Messages of one streaming call that are worked on at once; further ones are not read yet.
    package var messagesPerCall = 64
    /// How long a caller may take to send a message that it has begun.
    package var messageTime = TimeAmount.minutes(5)
    /// How long a caller may take to begin with HTTP/2.
    package var prefaceTime = TimeAmount.seconds(10)
    /// How long a caller may take none of an answer.
    package var stallTime = TimeAmount.seconds(30)
    /// How long a connection may stay without a call.
    package var idleTime = TimeAmount.minutes(15)
    /// How long calls are waited for when the server stops.
    package var graceTime = TimeAmount.seconds(30)

    package init() {}
}
