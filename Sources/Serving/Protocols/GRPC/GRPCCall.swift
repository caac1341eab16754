package import NIOHPACK

/// What is known of a call besides its messages.
package struct GRPCCall: Sendable {
    /// The headers that the call came with.
    package let headers: HPACKHeaders
    /// When the caller stops waiting; nil when it did not say.
    package let deadline: ContinuousClock.Instant?
    /// The caller's address without its port; empty when unknown.
    package let peer: String

    package init(headers: HPACKHeaders = [:], deadline: ContinuousClock.Instant? = nil, peer: String = "") {
        self.headers = headers
        self.deadline = deadline
        self.peer = peer
    }

    /// The time that a `grpc-timeout` header gives; nil when it is none.
    ///
    /// - SeeAlso: `Timeout` in gRPC's `PROTOCOL-HTTP2.md`.
    package static func timeout(_ text: String) -> Duration? {
        let digits = text.utf8.dropLast()
        guard let unit = text.utf8.last, (1...8).contains(digits.count),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        let amount = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        return switch unit {
        case UInt8(ascii: "H"): .seconds(min(amount * 3_600, longest))
        case UInt8(ascii: "M"): .seconds(min(amount * 60, longest))
        case UInt8(ascii: "S"): .seconds(min(amount, longest))
        case UInt8(ascii: "m"): .milliseconds(amount)
        case UInt8(ascii: "u"): .microseconds(amount)
        case UInt8(ascii: "n"): .nanoseconds(amount)
        default: nil
        }
    }

    /// A year, so that no clock overflows.
    private static let longest: Int64 = 366 * 86_400
}
