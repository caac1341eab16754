import ApusGateway
package import ApusKernel
package import HTTPTypes

/// How a call ended.
///
/// - SeeAlso: "Status codes and their use in gRPC", `doc/statuscodes.md` in gRPC's repository.
package enum GRPCStatus: Int, Sendable {
    case ok = 0
    case cancelled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case alreadyExists = 6
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case unimplemented = 12
    case internalError = 13
    case unavailable = 14
    case dataLoss = 15
    case unauthenticated = 16

    /// The status that says what `code` says.
    package init(_ code: ErrorCode) {
        self =
            switch code {
            case .badRequest, .invalidParameterValue: .invalidArgument
            case .resourceAlreadyExists: .alreadyExists
            case .unauthenticated: .unauthenticated
            case .permissionDenied: .permissionDenied
            case .resourceDoesNotExist, .notFound, .endpointNotFound: .notFound
            case .resourceConflict, .invalidState: .failedPrecondition
            case .requestLimitExceeded, .resourceExhausted: .resourceExhausted
            case .internalError: .internalError
            case .dataLoss: .dataLoss
            case .notImplemented: .unimplemented
            case .temporarilyUnavailable: .unavailable
            case .deadlineExceeded: .deadlineExceeded
            }
    }
}

/// A call that failed, and why.
package struct GRPCError: Error, Equatable {
    package let status: GRPCStatus
    /// For the caller; travels in a header, so it is cut when it is long.
    package let message: String
    /// What else the caller is told, beside the status.
    package let metadata: HTTPFields

    package init(_ status: GRPCStatus, _ message: String, metadata: HTTPFields = [:]) {
        self.status = status
        self.message = message
        self.metadata = metadata
    }

    /// What the caller is told of `error`; nothing of what is not meant for callers.
    package init(_ error: any Error, deadline: ContinuousClock.Instant? = nil) {
        switch error {
        case let error as GRPCError: self = error
        case let error as any PublicError:
            self.init(
                GRPCStatus(error.code),
                error.message,
                metadata: (error as? any HeadedError)?.headers ?? [:]
            )
        case is CancellationError:
            if let deadline, deadline <= .now {
                self.init(.deadlineExceeded, "The deadline of the request has passed.")
            } else {
                self.init(.cancelled, "The call was cancelled.")
            }
        default: self.init(.internalError, "The server failed.")
        }
    }

    /// The message as a header may carry it: printable ASCII, the rest percent-encoded.
    ///
    /// - SeeAlso: `Status-Message` in gRPC's `PROTOCOL-HTTP2.md`.
    package var encodedMessage: String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(message.utf8.count)
        for scalar in message.unicodeScalars {
            // Clients refuse headers of more than some kilobytes, and with them the status.
            guard encoded.count < Self.longestMessage else { break }
            for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                if byte >= 0x20, byte <= 0x7e, byte != UInt8(ascii: "%") {
                    encoded.append(byte)
                } else {
                    encoded.append(UInt8(ascii: "%"))
                    encoded.append(Self.hexadecimal[Int(byte >> 4)])
                    encoded.append(Self.hexadecimal[Int(byte & 15)])
                }
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static let longestMessage = 2_048
    private static let hexadecimal = Array("0123456789ABCDEF".utf8)
}
