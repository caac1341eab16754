package import ApusJSON
package import HTTPTypes
package import Hummingbird
import NIOCore

/// An answer as handlers give it.
package struct GatewayResponse: Sendable {
    package var status: HTTPResponse.Status
    package var headers: HTTPFields
    package var body: ResponseBody

    package init(status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], body: ResponseBody = .init()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A JSON object whose members `write` writes.
    package static func json(_ write: (inout JSONWriter) throws -> Void) rethrows -> GatewayResponse {
        var writer = JSONWriter()
        try writer.object(write)
        return json(bytes: writer.bytes)
    }

    /// A JSON text.
    package static func json(status: HTTPResponse.Status = .ok, bytes: [UInt8]) -> GatewayResponse {
        GatewayResponse(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }

    /// The empty message.
    package static let emptyMessage = json(bytes: Array("{}".utf8))

    /// Plain text.
    package static func text(_ text: String, status: HTTPResponse.Status = .ok) -> GatewayResponse {
        GatewayResponse(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    /// A page.
    package static func html(_ text: String, status: HTTPResponse.Status = .ok) -> GatewayResponse {
        GatewayResponse(
            status: status,
            headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    /// A JSON text that is made piece by piece, so that memory stays flat however long it is.
    ///
    /// `next` appends one more piece, and returns false with the last.
    package static func streamingJSON(
        _ next: @escaping @Sendable (inout JSONWriter) async throws -> Bool
    ) -> GatewayResponse {
        let body = ResponseBody { writer in
            var json = JSONWriter(capacity: 1 << 16)
            var goesOn = true
            while goesOn {
                goesOn = try await next(&json)
                try await writer.write(ByteBuffer(bytes: json.take()))
            }
            try await writer.finish(nil)
        }
        return GatewayResponse(headers: [.contentType: "application/json"], body: body)
    }
}
