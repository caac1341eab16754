import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes
import NIOCore

/// Git LFS's dialect: its media type, and its shape of errors.
///
/// - SeeAlso: `docs/api` of git-lfs.
enum LFSMessage {
    static let mediaType = "application/vnd.git-lfs+json"
    /// The most bytes of a request; clients ask for a hundred objects at a time.
    private static let maximumBytes = 4 << 20

    /// Reads the body of a request.
    ///
    /// - Throws: `INVALID_PARAMETER_VALUE` for another media type, which a page of another origin could send unasked,
    ///   and for what is no JSON object.
    static func read<T>(_ request: GatewayRequest, _ body: (MessageReader) throws -> T) async throws -> T {
        let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        guard type == mediaType || type == "application/json" else {
            throw RequestError.invalid("The Content-Type must be \(mediaType).")
        }
        let bytes = try await request.bytes(upTo: maximumBytes)
        return try bytes.withUnsafeReadableBytes { bytes in
            let document: JSONDocument
            do { document = try JSONDocument(parsing: bytes) } catch let error as JSONDocument.SyntaxError {
                throw RequestError.invalid("The request is no JSON: \(error.description).")
            }
            return try body(try MessageReader(document.root))
        }
    }

    static func answer(
        status: HTTPResponse.Status = .ok,
        _ write: (inout JSONWriter) throws -> Void
    ) rethrows -> GatewayResponse {
        var json = JSONWriter()
        try json.object(write)
        var response = GatewayResponse.json(status: status, bytes: json.bytes)
        response.headers[.contentType] = mediaType
        return response
    }

    /// An error; what was asked in a wrong way is 422.
    static func refusal(_ code: ErrorCode, _ message: String, _ id: String) -> GatewayResponse {
        var response = answer(status: code == .invalidParameterValue ? .unprocessableContent : code.status) { json in
            json.key("message")
            json.string(message)
            json.key("request_id")
            json.string(id)
        }
        if code == .temporarilyUnavailable { response.headers[.retryAfter] = "2" }
        return response
    }
}
