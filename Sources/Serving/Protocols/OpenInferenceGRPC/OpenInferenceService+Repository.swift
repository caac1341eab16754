import InferenceProtobuf
import SwiftProtobuf

extension OpenInferenceService {
    func repositoryIndex(_ request: Inference_RepositoryIndexRequest) -> Inference_RepositoryIndexResponse {
        let listings = directory.listings.filter { !request.ready || $0.state == .ready }
        return .with {
            $0.models = listings.map { listing in
                .with {
                    $0.name = listing.name
                    $0.version = listing.version
                    $0.state = listing.state.rawValue
                    $0.reason = listing.reason
                }
            }
        }
    }

    func load(_ request: Inference_RepositoryModelLoadRequest) async throws -> Inference_RepositoryModelLoadResponse {
        var options = ModelLoadOptions()
        for (key, value) in request.parameters {
            switch (key, value.parameterChoice) {
            case ("config", .stringParam(let configuration)): options.configuration = configuration
            case (let key, .bytesParam(let bytes)) where key.hasPrefix("file:"):
                options.files[String(key.dropFirst("file:".count))] = Array(bytes)
            default: throw ServingError.invalid("The parameter '\(key)' is not known, or not of the right type.")
            }
        }
        guard !request.modelName.isEmpty else { throw ServingError.invalid("The model's name is missing.") }
        try await directory.load(request.modelName, options: options)
        return Inference_RepositoryModelLoadResponse()
    }

    func unload(_ request: Inference_RepositoryModelUnloadRequest) async throws
        -> Inference_RepositoryModelUnloadResponse
    {
        guard !request.modelName.isEmpty else { throw ServingError.invalid("The model's name is missing.") }
        try await directory.unload(request.modelName)
        return Inference_RepositoryModelUnloadResponse()
    }
}
