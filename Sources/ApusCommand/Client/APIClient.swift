package import AsyncHTTPClient
import FoundationEssentials
package import NIOCore
import NIOHTTP1

/// Calls the HTTP API of an Apus server, or of any server that speaks MLflow's.
///
/// Every failure is a ``CommandFailure`` that says what to do. Redirects are not followed, as they would carry
/// credentials elsewhere and turn a POST into a GET.
package struct APIClient: Sendable {
    /// The most bytes of an answer that is held in memory; a page of runs is far smaller.
    static let maximumAnswerBytes = 256 << 20

    package let address: ServerAddress
    private let authorization: String?
    private let timeoutSeconds: Int
    private let http: HTTPClient

    /// - Parameters:
    ///   - address: The server.
    ///   - authorization: The value of the `Authorization` header, if any.
    ///   - timeoutSeconds: How long to wait for an answer; a transfer may take longer as long as bytes flow.
    package init(address: ServerAddress, authorization: String?, timeoutSeconds: Int) {
        self.address = address
        self.authorization = authorization
        self.timeoutSeconds = timeoutSeconds
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(
                connect: .seconds(Int64(min(10, timeoutSeconds))),
                read: .seconds(Int64(timeoutSeconds)),
                write: .seconds(Int64(timeoutSeconds))
            )
        )
        // A refused connection is reported at once instead of being tried again until the time-out.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Closes the connections.
    package func shutdown() async {
        // What was asked for is done; connections that do not close in order are no news for the caller.
        try? await http.shutdown()
    }

    /// Sends a request and reads the JSON of the answer; an empty answer is `{}`.
    ///
    /// - Throws: ``CommandFailure``, or `CancellationError`.
    package func send(_ request: APIRequest) async throws -> JSON {
        let outgoing = outgoing(request)
        let response = try await execute(outgoing, timeout: .seconds(Int64(timeoutSeconds)))
        return try json(try await answer(response), request)
    }

    /// The JSON of a good answer.
    private func json(_ bytes: [UInt8], _ request: APIRequest) throws -> JSON {
        if bytes.isEmpty { return .object([]) }
        guard let json = try? JSON(parsing: bytes) else {
            throw ServerFailure.notTheAPI(address: address, path: request.path)
        }
        return json
    }

    /// Calls an endpoint below `api/2.0/mlflow`; see ``APIRequest/mlflow(_:_:_:)``.
    @discardableResult
    package func call(_ method: APIRequest.Method, _ endpoint: String, _ fields: JSON = .object([])) async throws
        -> JSON
    {
        try await send(.mlflow(method, endpoint, fields))
    }

    /// Starts a download.
    ///
    /// - Returns: The length, if the server tells it, and the bytes as they arrive.
    package func download(_ request: APIRequest) async throws -> (bytes: Int64?, body: HTTPClientResponse.Body) {
        let outgoing = outgoing(request)
        let response = try await execute(outgoing, timeout: nil)
        guard response.status == .ok else {
            _ = try await answer(response)
            throw ServerFailure.notTheAPI(address: address, path: request.path)
        }
        return (response.headers.first(name: "Content-Length").flatMap { Int64($0) }, response.body)
    }

    /// Sends a body as it is read, and reads the JSON of the answer; an empty answer is `{}`.
    ///
    /// - Parameters:
    ///   - bytes: The body.
    ///   - count: Its length in bytes, if it is known.
    ///   - mediaType: What it is.
    ///   - request: Where to.
    /// - Returns: The answer.
    /// - Throws: ``CommandFailure``, or `CancellationError`.
    @discardableResult
    package func upload<Bytes: AsyncSequence & Sendable>(
        _ bytes: Bytes,
        count: Int64?,
        mediaType: String = "application/octet-stream",
        to request: APIRequest
    ) async throws -> JSON where Bytes.Element == ByteBuffer {
        var outgoing = outgoing(request)
        outgoing.headers.add(name: "Content-Type", value: mediaType)
        outgoing.body = .stream(bytes, length: count.map { .known($0) } ?? .unknown)
        return try json(try await answer(try await execute(outgoing, timeout: nil)), request)
    }

    /// Turns a failure in the middle of a transfer into words.
    package func explain(_ error: any Error) -> any Error {
        ServerFailure.connection(error, address: address, timeoutSeconds: timeoutSeconds)
    }

    private func outgoing(_ request: APIRequest) -> HTTPClientRequest {
        var outgoing = HTTPClientRequest(url: request.url(at: address))
        outgoing.method = HTTPMethod(rawValue: request.method.rawValue)
        outgoing.headers.add(name: "User-Agent", value: "apus")
        outgoing.headers.add(name: "Accept", value: "application/json")
        if let authorization { outgoing.headers.add(name: "Authorization", value: authorization) }
        if let body = request.body {
            outgoing.headers.add(name: "Content-Type", value: "application/json")
            outgoing.body = .bytes(ByteBuffer(string: body.compactText))
        }
        return outgoing
    }

    private func execute(_ request: HTTPClientRequest, timeout: TimeAmount?) async throws -> HTTPClientResponse {
        do {
            let deadline = timeout.map { NIODeadline.now() + $0 } ?? .distantFuture
            return try await http.execute(request, deadline: deadline)
        } catch {
            throw explain(error)
        }
    }

    /// The body of a good answer.
    private func answer(_ response: HTTPClientResponse) async throws -> [UInt8] {
        let buffer: ByteBuffer
        do {
            buffer = try await response.body.collect(upTo: Self.maximumAnswerBytes)
        } catch is NIOTooManyBytesError {
            throw CommandFailure("the server's answer is too large", hint: "Ask for less with --limit.")
        } catch {
            throw explain(error)
        }
        let bytes = Array(buffer.readableBytesView)
        guard (200..<300).contains(response.status.code) else {
            throw ServerFailure.answer(
                status: response.status.code,
                location: response.headers.first(name: "Location"),
                body: bytes,
                address: address
            )
        }
        return bytes
    }
}
