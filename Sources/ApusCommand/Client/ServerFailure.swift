import AsyncHTTPClient
import NIOCore
import NIOPosix

/// Turns what went wrong between us and the server into words.
package enum ServerFailure {
    /// An answer that is not a success.
    ///
    /// - Parameters:
    ///   - status: The HTTP status.
    ///   - location: The `Location` header of a redirect.
    ///   - body: The answer's bytes: MLflow's `{"error_code", "message"}`, or what a proxy says.
    ///   - address: The server.
    /// - Returns: The failure in words.
    package static func answer(
        status: UInt,
        location: String?,
        body: [UInt8],
        address: ServerAddress
    ) -> CommandFailure {
        if (300..<400).contains(status) {
            return CommandFailure(
                "the server at \(address) redirects to '\(location ?? "nowhere")'",
                hint: "Give that address, without the path of the API, with --server."
            )
        }
        let json = try? JSON(parsing: body)
        let code = json?["error_code"].string ?? ""
        guard let message = json?["message"].string, !message.isEmpty else {
            return plain(status: status, code: code, body: body, address: address)
        }
        return CommandFailure(withoutFullStop(message), hint: hint(status: status, code: code))
    }

    /// A success that is not what the API says.
    static func notTheAPI(address: ServerAddress, path: String) -> CommandFailure {
        CommandFailure(
            "the answer from \(address)/\(path) is not one of Apus or MLflow",
            hint: "Does --server name the right address?"
        )
    }

    /// A call that got no answer.
    ///
    /// A failure that has words already, and cancellation, pass through.
    static func connection(_ error: any Error, address: ServerAddress, timeoutSeconds: Int) -> any Error {
        if error is CommandFailure || error is CancellationError { return error }
        if let failure = error as? HTTPClientError { return client(failure, address, timeoutSeconds) }
        if let failure = error as? NIOConnectionError {
            if failure.dnsAError != nil || failure.dnsAAAAError != nil, failure.connectionErrors.isEmpty {
                return CommandFailure("no machine is known by the name in \(address)", hint: whereServersAreNamed)
            }
            let isRefused = failure.connectionErrors.contains { ($0.error as? IOError)?.errnoCode == ECONNREFUSED }
            if !isRefused {
                return CommandFailure("cannot reach the server at \(address)", hint: whereServersAreNamed)
            }
            return refused(address)
        }
        if let failure = error as? IOError {
            if failure.errnoCode == ECONNREFUSED { return refused(address) }
            return CommandFailure("the connection to \(address) broke", hint: "Is the server still running?")
        }
        if address.text.hasPrefix("https:") {
            return CommandFailure(
                "no secure connection to \(address)",
                hint: "Does the server speak https at this port, with a certificate that this machine trusts?"
            )
        }
        return CommandFailure("the connection to \(address) failed: \(error)")
    }

    private static let whereServersAreNamed =
        "The address comes from --server, APUS_SERVER or MLFLOW_TRACKING_URI, in this order."

    private static func refused(_ address: ServerAddress) -> CommandFailure {
        CommandFailure(
            "no server is running at \(address)",
            hint: "Start one with 'apus server', or name another with --server or APUS_SERVER."
        )
    }

    private static func client(_ error: HTTPClientError, _ address: ServerAddress, _ timeout: Int) -> any Error {
        switch error {
        case .cancelled: CancellationError()
        case .connectTimeout:
            CommandFailure("the server at \(address) cannot be reached in time", hint: whereServersAreNamed)
        case .deadlineExceeded, .readTimeout, .writeTimeout:
            CommandFailure(
                "the server at \(address) did not answer within \(timeout) s",
                hint: "Wait longer with --timeout."
            )
        case .remoteConnectionClosed:
            CommandFailure(
                "the server at \(address) closed the connection without an answer",
                hint: "Does it expect https? Otherwise its log tells more."
            )
        case .tlsHandshakeTimeout:
            CommandFailure("no secure connection to \(address)", hint: "Does the server speak https at this port?")
        default: CommandFailure("the request to \(address) failed: \(error.shortDescription)")
        }
    }

    private static func plain(status: UInt, code: String, body: [UInt8], address: ServerAddress) -> CommandFailure {
        let text = PrintableText.line(String(decoding: body.prefix(300), as: UTF8.self))
        switch status {
        case 401:
            return CommandFailure("the server asks who you are", hint: hint(status: status, code: code))
        case 403 where !text.contains("Host"):
            return CommandFailure(
                "the server does not permit this",
                hint: hint(status: status, code: "PERMISSION_DENIED")
            )
        case 404, 405:
            return CommandFailure(
                "the server at \(address) does not offer this",
                hint: "Is it an Apus or MLflow server, and recent enough?"
            )
        default:
            // A page of HTML helps nobody at a terminal.
            let detail = text.isEmpty || text.hasPrefix("<") ? "" : ": \(withoutFullStop(text))"
            return CommandFailure("the server answered \(status)\(detail)", hint: hint(status: status, code: code))
        }
    }

    private static func hint(status: UInt, code: String) -> String? {
        switch (code, status) {
        case ("UNAUTHENTICATED", _), (_, 401): "Set \(Credentials.variables)."
        case ("PERMISSION_DENIED", _): "Ask an administrator for the permission."
        case ("REQUEST_LIMIT_EXCEEDED", _), ("TEMPORARILY_UNAVAILABLE", _), (_, 429), (_, 502...504):
            "Try again in a moment."
        case (_, 500...): "The server's log tells more."
        default: nil
        }
    }

    private static func withoutFullStop(_ text: String) -> String {
        var text = text
        while text.last?.isWhitespace == true { text.removeLast() }
        if text.hasSuffix("."), !text.hasSuffix("..") { text.removeLast() }
        return text
    }
}
