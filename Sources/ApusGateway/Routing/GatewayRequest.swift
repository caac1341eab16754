import ApusJSON
import ApusKernel
package import HTTPTypes
package import Hummingbird
package import NIOCore

/// A request as handlers see it.
package struct GatewayRequest: Sendable {
    /// The most that a JSON body may have, in bytes.
    package static let maximumJSONBytes = 32 << 20
    /// The most arguments that a query string may have.
    static let maximumQueryItems = 2_000

    package let method: HTTPRequest.Method
    package let headers: HTTPFields
    /// Segments bound by the route's path, decoded once.
    package let parameters: [String: String]
    /// The arguments after `?`, decoded, in order.
    package let query: [(name: String, value: String)]
    /// The bytes of the body; read once.
    package let body: RequestBody
    /// Identifies the request in logs and in answers to errors.
    package let id: String
    /// The host and port that the caller named, already checked.
    package let host: String
    /// What stands before every path, such as `/ml`; empty for nothing.
    let prefix: String
    /// Who waits for the answer.
    package let caller: Caller

    /// Where the caller finds this server, such as `http://127.0.0.1:5000/ml`.
    package var address: String { "http://\(host)\(prefix)" }

    /// The first argument of that name.
    package func queryValue(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }

    /// A segment bound by the route's path.
    ///
    /// - Throws: `INTERNAL_ERROR` when the route has no such parameter, which is our mistake.
    package func parameter(_ name: String) throws -> String {
        guard let value = parameters[name] else {
            throw RequestError(.internalError, "The route has no parameter '\(name)'.")
        }
        return value
    }

    /// Collects a body of any type.
    ///
    /// - Throws: `INVALID_PARAMETER_VALUE` when it is larger than `maximum` bytes or takes too long,
    ///   `TEMPORARILY_UNAVAILABLE` when other bodies take all the memory.
    package func bytes(upTo maximum: Int) async throws -> ByteBuffer {
        try await MemoryBudget.bodies.collect(body, upTo: maximum)
    }

    /// Collects a body of any type, and unpacks it as its `Content-Encoding` says; each of both has at most `maximum`
    /// bytes.
    ///
    /// - Throws: As ``bytes(upTo:)``, and `INVALID_PARAMETER_VALUE` when it is packed in a way that is not known, or
    ///   damaged.
    package func unpackedBytes(upTo maximum: Int) async throws -> ByteBuffer {
        let coding = try ContentCoding(of: headers)
        let packed = try await bytes(upTo: maximum)
        return try await coding.unpacked(packed, upTo: maximum, MemoryReservation(.bodies))
    }

    /// Collects a JSON body.
    ///
    /// - Returns: Empty when there is no body.
    /// - Throws: `INVALID_PARAMETER_VALUE` when the content type is not JSON or the body is too large.
    package func jsonBytes() async throws -> ByteBuffer {
        // Before the body: what is no message need not be read.
        if let type = headers[.contentType] {
            let mediaType = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
            // No web page can send this content type to another origin without asking first.
            guard mediaType == "application/json" else {
                throw RequestError.invalid("Bad Request. Content-Type must be one of ['application/json'].")
            }
        }
        let bytes = try await MemoryBudget.bodies.collect(body, upTo: Self.maximumJSONBytes)
        guard bytes.readableBytes == 0 || headers[.contentType] != nil else {
            throw RequestError.invalid("Bad Request. Content-Type header is missing.")
        }
        return bytes
    }
}

extension GatewayRequest {
    /// Splits and decodes a query string.
    static func parseQuery(_ query: Substring) throws -> [(name: String, value: String)] {
        guard !query.isEmpty else { return [] }
        let items = query.split(separator: "&", maxSplits: maximumQueryItems)
        guard items.count <= maximumQueryItems else {
            throw RequestError.invalid("The query string has more than \(maximumQueryItems) arguments.")
        }
        return try items.map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try percentDecoded(parts[0], plusIsSpace: true)
            return (name, parts.count > 1 ? try percentDecoded(parts[1], plusIsSpace: true) : "")
        }
    }
}
