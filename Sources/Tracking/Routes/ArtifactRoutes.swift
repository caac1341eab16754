import ApusGateway
import ApusJSON
import ApusKernel
import ApusVault
import HTTPTypes

/// The files of runs and logged models, by their owner and a path below its root.
struct ArtifactRoutes {
    let store: TrackingStore
    let service: ArtifactService

    private static let model = "2.0/mlflow/logged-models/{model_id}/artifacts"

    var routes: [Route] {
        [
            Route(.get, "2.0/mlflow/artifacts/list", .api, .read(.artifact), list),
            Route(.get, "get-artifact", .root, .read(.artifact), get),
            Route(.post, "2.0/mlflow/upload-artifact", .ajax, .edit(.artifact), upload),
            Route(.delete, "2.0/apus/artifacts", .api, .manage(.artifact), delete),
            Route(.post, "2.0/mlflow/artifacts/presigned-upload-url", .api, .edit(.artifact), presignedUpload),
            Route(.post, "2.0/mlflow/artifacts/presigned-download-url", .api, .read(.artifact), presignedDownload),
            Route(.get, "\(Self.model)/directories", .api, .read(.artifact), listModel),
            Route(.get, "\(Self.model)/files", .ajax, .read(.artifact), getModel),
        ]
    }

    // MARK: Runs

    private func list(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (id, path, limit, token) = try await request.message { message in
            (
                try message.runID(), try message.string("path") ?? "", try message.integer("max_results"),
                try message.string("page_token") ?? ""
            )
        }
        _ = try ArtifactAddress.root.directory(path)
        return try await service.list(
            path,
            below: try await store.artifactURI(ofRun: id),
            limit: limit,
            pageToken: token
        )
    }

    private func get(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (id, path) = try await request.message { (try $0.runID(), try $0.requiredString("path")) }
        _ = try ArtifactAddress.root.appending(path)
        return try await service.download(path, below: try await store.artifactURI(ofRun: id), for: request)
    }

    private func upload(_ request: GatewayRequest) async throws -> GatewayResponse {
        let id = ["run_id", "run_uuid"].compactMap { request.queryValue($0) }.first { !$0.isEmpty }
        guard let id else { throw RequestError.invalid("Request must specify run_id or run_uuid.") }
        guard let path = request.queryValue("path"), !path.isEmpty else {
            throw RequestError.invalid("Request must specify path.")
        }
        _ = try ArtifactAddress.root.appending(path)
        let announced = request.headers[.contentLength].flatMap { Int64($0) }
        if let announced, announced > Int64(ArtifactService.maximumBrowserUploadBytes) {
            throw ArtifactService.uploadTooLarge
        }
        let key = try service.key(path, below: try await store.artifactURI(ofRun: id))
        try await service.upload(ArtifactUpload(bytes: request.body), at: key, announcedBytes: announced)
        return GatewayResponse(headers: [.contentType: "application/json"])
    }

    /// Removes one file or directory of a run, which MLflow's own interface cannot.
    private func delete(_ request: GatewayRequest) async throws -> GatewayResponse {
        guard let id = request.queryValue("run_id"), !id.isEmpty, let path = request.queryValue("path"), !path.isEmpty
        else { throw RequestError.invalid("Request must specify run_id and path.") }
        _ = try ArtifactAddress.root.appending(path)
        let key = try service.key(path, below: try await store.artifactURI(ofRun: id, mustBeActive: true))
        let count = try await service.delete(key)
        guard count > 0 else { throw RequestError(.resourceDoesNotExist, "No such artifact: '\(path)'") }
        return .json { $0.member("deleted_entries", Int64(count)) }
    }

    // MARK: Presigned addresses

    private func presignedUpload(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (run, model, path) = try await request.message { message in
            (
                try message.string("run_id") ?? "", try message.string("model_id") ?? "",
                try message.requiredString("path")
            )
        }
        guard run.isEmpty != model.isEmpty else {
            throw RequestError.invalid("Exactly one of run_id and model_id must be provided.")
        }
        _ = try ArtifactAddress.root.appending(path)
        let location =
            run.isEmpty ? try await store.artifactURI(ofLoggedModel: model) : try await store.artifactURI(ofRun: run)
        throw Self.notPresigned("Presigned upload", "proxied artifact storage", "a direct cloud storage", location)
    }

    private func presignedDownload(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (run, path) = try await request.message {
            (try $0.requiredString("run_id"), try $0.requiredString("path"))
        }
        _ = try ArtifactAddress.root.appending(path)
        let location = try await store.artifactURI(ofRun: run)
        throw Self.notPresigned(
            "Presigned download",
            "runs with proxied artifact storage",
            "a run with a direct cloud storage",
            location
        )
    }

    private static func notPresigned(
        _ feature: String,
        _ storage: String,
        _ need: String,
        _ location: String
    ) -> RequestError {
        let scheme = ArtifactLocation.scheme(of: location) ?? ""
        guard ["http", "https", "mlflow-artifacts"].contains(scheme) else {
            return RequestError(.notImplemented, "\(feature) is not supported for the current artifact repository")
        }
        return .invalid(
            "\(feature) is not supported for \(storage) (artifact URI scheme: \(scheme)). "
                + "This endpoint requires \(need) artifact URI."
        )
    }

    // MARK: Logged models

    private func listModel(_ request: GatewayRequest) async throws -> GatewayResponse {
        let path = request.queryValue("artifact_directory_path") ?? ""
        _ = try ArtifactAddress.root.directory(path)
        let location = try await store.artifactURI(ofLoggedModel: try request.parameter("model_id"))
        return try await service.list(
            path,
            below: location,
            limit: try MessageReader(query: request.query).integer("max_results"),
            pageToken: request.queryValue("page_token") ?? ""
        )
    }

    private func getModel(_ request: GatewayRequest) async throws -> GatewayResponse {
        guard let path = request.queryValue("artifact_file_path"), !path.isEmpty else {
            throw RequestError(.badRequest, "Request must include the \"artifact_file_path\" query parameter.")
        }
        _ = try ArtifactAddress.root.appending(path)
        let location = try await store.artifactURI(ofLoggedModel: try request.parameter("model_id"))
        guard request.queryValue("presigned") != "true" else {
            throw RequestError(
                .notImplemented,
                "Presigned download is not supported for the current artifact repository"
            )
        }
        return try await service.download(path, below: location, for: request)
    }
}
