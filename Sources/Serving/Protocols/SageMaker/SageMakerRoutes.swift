package import ApusGateway
import ApusJSON
import HTTPTypes
import HummingbirdCore
import NIOCore

/// What Amazon SageMaker asks of a container with a model: `/ping`, `/invocations` and `/execution-parameters`.
///
/// Requests are those of MLflow's scoring protocol, as in the containers that MLflow builds for SageMaker; the answer's
/// form follows `Accept`.
///
/// - SeeAlso: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
package struct SageMakerRoutes {
    private let directory: any ModelDirectory
    private let settings: SageMakerSettings

    package init(directory: any ModelDirectory, settings: SageMakerSettings) {
        self.directory = directory
        self.settings = settings
    }

    package var routes: [Route] {
        [
            Route(.get, "ping", .root, .open, refusal: MLflowScoring.refusal) { [directory] _ in
                let isReady = (try? directory.onlyServable()) != nil
                return GatewayResponse(status: isReady ? .ok : .serviceUnavailable)
            },
            Route(.get, "execution-parameters", .root, .open) { [settings] _ in
                .json { json in
                    json.key("MaxConcurrentTransforms")
                    json.integer(Int64(settings.maxConcurrentTransforms))
                    json.key("BatchStrategy")
                    json.string(settings.batchStrategy.rawValue)
                    json.key("MaxPayloadInMB")
                    json.integer(Int64(settings.maxPayloadInMB))
                }
            },
            Route(.post, "invocations", .root, .use(.endpoint), refusal: MLflowScoring.refusal) {
                [directory, settings] request in
                try await Self.answer(request, directory.onlyServable(), settings)
            }.answeringBriefly(),
        ]
    }

    private static func answer(
        _ request: GatewayRequest,
        _ servable: any Servable,
        _ settings: SageMakerSettings
    ) async throws -> GatewayResponse {
        guard let accept = SageMakerAccept(header: request.headers[.accept], preferred: settings.defaultAccept) else {
            let known = SageMakerAccept.allCases.map(\.rawValue).joined(separator: ", ")
            return .text("This model answers in one of: \(known).", status: .notAcceptable)
        }
        return try await MLflowScoring(timeout: settings.timeout).answer(request, from: servable) { outcome in
            let body = try accept.body(outcome.response, isUnwrapped: outcome.isUnwrapped)
            return GatewayResponse(
                headers: [.contentType: accept.rawValue],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
            )
        }
    }
}
