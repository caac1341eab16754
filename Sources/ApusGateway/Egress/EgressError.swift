package import ApusKernel

/// Why a call to the outside was not made, or got no answer.
package enum EgressError: PublicError, Equatable {
    /// The address is not one that may be called; holds the message.
    case badAddress(String)
    /// The name stands for no address.
    case unknownHost(subject: String, host: String)
    /// The name stands for an address that is not on the public Internet.
    case notPublic(subject: String, host: String)
    /// The connection could not be made, or broke.
    case unreachable
    /// There was no answer within the limit.
    case timedOut
    /// Too many names are being looked up already.
    case busy

    package var code: ErrorCode {
        switch self {
        case .badAddress, .unknownHost, .notPublic: .invalidParameterValue
        case .unreachable, .timedOut, .busy: .temporarilyUnavailable
        }
    }

    package var message: String {
        switch self {
        case .badAddress(let message): message
        case .unknownHost(let subject, let host): "Cannot resolve \(subject) hostname '\(host)'."
        // The address itself stays unsaid: it would tell what the server's own network looks like.
        case .notPublic(let subject, let host):
            "\(subject) must not resolve to a non-public IP address, as '\(host)' does."
        case .unreachable: "The connection could not be made or was closed without an answer."
        case .timedOut: "There was no answer in time."
        case .busy: "Too many host names are being resolved already; try again later."
        }
    }

    /// Whether a later try may have another outcome.
    package var isTemporary: Bool { code == .temporarilyUnavailable }
}
