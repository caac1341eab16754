import ApusJSON
package import ApusKernel
package import HTTPTypes

/// An error that has something to say in headers, whatever the dialect of its message is.
package protocol HeadedError: PublicError {
    var headers: HTTPFields { get }
}

extension ErrorCode {
    /// The status that clients expect for a code; they retry 408, 429 and 500 to 504.
    ///
    /// - SeeAlso: `ERROR_CODE_TO_HTTP_STATUS` in MLflow's `exceptions.py`.
    package var status: HTTPResponse.Status {
        switch self {
        case .badRequest, .invalidParameterValue, .resourceAlreadyExists: .badRequest
        case .unauthenticated: .unauthorized
        case .permissionDenied: .forbidden
        case .resourceDoesNotExist, .notFound, .endpointNotFound: .notFound
        case .resourceConflict: .conflict
        case .requestLimitExceeded, .resourceExhausted: .tooManyRequests
        case .internalError, .invalidState, .dataLoss: .internalServerError
        case .notImplemented: .notImplemented
        case .temporarilyUnavailable: .serviceUnavailable
        case .deadlineExceeded: .gatewayTimeout
        }
    }
}

extension GatewayResponse {
    /// The one shape in which errors leave the server.
    package static func error(_ code: ErrorCode, _ message: String, requestID: String) -> GatewayResponse {
        var writer = JSONWriter()
        writer.object { json in
            json.key("error_code")
            json.string(code.rawValue)
            json.key("message")
            json.string(message)
            guard code.status.code >= 500 else { return }
            json.key("request_id")
            json.string(requestID)
        }
        var response = json(status: code.status, bytes: writer.bytes)
        if code == .temporarilyUnavailable { response.headers[.retryAfter] = "2" }
        return response
    }
}
