import ApusGateway
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Serving
import Testing

/// The routes of the Open Inference Protocol over models in memory.
enum OpenInferenceSite {
    static func with(
        _ models: any ModelDirectory,
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let responder = GatewayResponder(
            routes: OpenInferenceRoutes(directory: models).routes,
            configuration: .init(logger: logger)
        )
        try await Application(responder: responder, logger: logger).test(.router) { try await body($0) }
    }
}

extension TestClientProtocol {
    /// Sends a body and returns the answer.
    func post(_ path: String, _ body: ByteBuffer, headers: HTTPFields = [:]) async throws -> TestResponse {
        try await execute(uri: path, method: .post, headers: headers, body: body) { $0 }
    }

    /// Sends JSON to the model `echo` and returns status and text.
    func infer(_ json: String, model: String = "echo", headers: HTTPFields = [:]) async throws -> (Int, String) {
        let answer = try await post("/v2/models/\(model)/infer", ByteBuffer(string: json), headers: headers)
        return (answer.status.code, String(buffer: answer.body))
    }
}

extension HTTPField.Name {
    static let headerLength = Self("Inference-Header-Content-Length") ?? .contentLength
    static let trace = Self("traceparent") ?? .contentLocation
}
