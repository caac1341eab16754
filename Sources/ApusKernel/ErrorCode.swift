/// A reason for failure, from the closed vocabulary that MLflow clients understand.
///
/// The raw value is the `error_code` on the wire. ApusGateway maps each case to one HTTP status.
///
/// - SeeAlso: `ErrorCode` in MLflow's `databricks.proto`.
package enum ErrorCode: String, Sendable, CaseIterable {
    case badRequest = "BAD_REQUEST"
    case invalidParameterValue = "INVALID_PARAMETER_VALUE"
    case resourceAlreadyExists = "RESOURCE_ALREADY_EXISTS"
    case unauthenticated = "UNAUTHENTICATED"
    case permissionDenied = "PERMISSION_DENIED"
    case resourceDoesNotExist = "RESOURCE_DOES_NOT_EXIST"
    case notFound = "NOT_FOUND"
    case endpointNotFound = "ENDPOINT_NOT_FOUND"
    case resourceConflict = "RESOURCE_CONFLICT"
    case requestLimitExceeded = "REQUEST_LIMIT_EXCEEDED"
    case resourceExhausted = "RESOURCE_EXHAUSTED"
    case internalError = "INTERNAL_ERROR"
    case invalidState = "INVALID_STATE"
    case dataLoss = "DATA_LOSS"
    case notImplemented = "NOT_IMPLEMENTED"
    case temporarilyUnavailable = "TEMPORARILY_UNAVAILABLE"
    case deadlineExceeded = "DEADLINE_EXCEEDED"
}

/// An error that a client may see: a code from the closed vocabulary and a public message.
///
/// Anything thrown that does not conform is answered as a plain internal error and written to the log.
package protocol PublicError: Error, CustomStringConvertible {
    /// The reason, from the closed vocabulary.
    var code: ErrorCode { get }
    /// What the caller did wrong or can do next; never text from a layer below.
    var message: String { get }
}

extension PublicError {
    package var description: String { "\(code.rawValue): \(message)" }
}

/// A public error that no capability claims as its own.
package struct RequestError: PublicError, Equatable {
    package let code: ErrorCode
    package let message: String

    package init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The caller sent something that is not allowed.
    package static func invalid(_ message: String) -> RequestError {
        RequestError(.invalidParameterValue, message)
    }
}
