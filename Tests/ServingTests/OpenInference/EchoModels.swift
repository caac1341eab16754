import NIOCore
import Serving
import Synchronization

/// Models in memory, for what an adapter does with a request and an answer.
struct EchoModels: ModelDirectory {
    let all: [any Servable]
    var states: [ModelListing] = []

    func servable(_ name: String, version: String?) throws -> any Servable {
        guard let found = all.first(where: { $0.name == name && (version == nil || $0.version == version) }) else {
            if states.contains(where: { $0.name == name }) { throw ServingError.notReady(name, version: version) }
            throw ServingError.unknownModel(name, version: version)
        }
        return found
    }

    var listings: [ModelListing] {
        all.map { ModelListing(name: $0.name, version: $0.version, state: .ready) } + states
    }
}

/// Answers with its inputs, and keeps the last request.
final class EchoModel: Servable {
    let name: String
    let version: String
    let metadata: ModelMetadata
    let last = Mutex<InferenceRequest?>(nil)
    private let answer: @Sendable (InferenceRequest) async throws -> InferenceResponse

    init(
        _ name: String = "echo",
        version: String = "1",
        inputs: [ModelMetadata.Port] = [],
        maximumBatchSize: Int = 0,
        answer: (@Sendable (InferenceRequest) async throws -> InferenceResponse)? = nil
    ) {
        self.name = name
        self.version = version
        metadata = ModelMetadata(
            platform: "onnxruntime_onnx",
            inputs: inputs,
            outputs: inputs,
            maximumBatchSize: maximumBatchSize
        )
        self.answer =
            answer ?? { request in
                InferenceResponse(
                    modelName: name,
                    modelVersion: version,
                    id: request.id,
                    outputs: request.outputs.isEmpty
                        ? request.inputs : request.inputs.filter { request.outputs.contains($0.name) }
                )
            }
    }

    func infer(_ request: InferenceRequest) async throws -> InferenceResponse {
        last.withLock { $0 = request }
        return try await answer(request)
    }
}
