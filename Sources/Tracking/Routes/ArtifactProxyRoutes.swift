import ApusGateway
import ApusKernel
import ApusVault
import HTTPTypes

/// The artifact proxy of MLflow: files by their whole path.
struct ArtifactProxyRoutes {
    let service: ArtifactService

    private static let artifacts = "2.0/mlflow-artifacts/artifacts"
    private static let file = "2.0/mlflow-artifacts/artifacts/{path...}"
    private static let multipart = "2.0/mlflow-artifacts/mpu"

    var routes: [Route] {
        [
            Route(.get, Self.artifacts, .api, .read(.artifact), list),
            Route(.get, Self.file, .api, .read(.artifact), download),
            Route(.put, Self.file, .api, .edit(.artifact), upload),
            Route(.delete, Self.file, .api, .manage(.artifact), delete),
            Route(.post, "\(Self.multipart)/create/{path...}", .api, .edit(.artifact)) { request in
                throw try Self.unsupported("Multipart upload", request)
            },
            Route(.post, "\(Self.multipart)/complete/{path...}", .api, .edit(.artifact)) { request in
                throw try Self.unsupported("Multipart upload", request)
            },
            Route(.post, "\(Self.multipart)/abort/{path...}", .api, .edit(.artifact)) { request in
                throw try Self.unsupported("Multipart upload", request)
            },
            Route(.get, "2.0/mlflow-artifacts/presigned/{path...}", .api, .read(.artifact)) { request in
                throw try Self.unsupported("Multipart download", request)
            },
        ]
    }

    private func list(_ request: GatewayRequest) async throws -> GatewayResponse {
        try await service.list(request.queryValue("path") ?? "")
    }

    private func download(_ request: GatewayRequest) async throws -> GatewayResponse {
        try await service.download(try Self.key(request), for: request)
    }

    private func upload(_ request: GatewayRequest) async throws -> GatewayResponse {
        try await service.upload(
            request.body,
            at: try Self.key(request),
            announcedBytes: request.headers[.contentLength].flatMap { Int64($0) }
        )
        return GatewayResponse()
    }

    private func delete(_ request: GatewayRequest) async throws -> GatewayResponse {
        var path = try request.parameter("path")
        // Clients name a directory with a slash at its end; the root itself has no other name and is refused.
        while path.hasSuffix("/") { path.removeLast() }
        try await service.delete(try ArtifactKey(validating: path))
        return .emptyMessage
    }

    private static func key(_ request: GatewayRequest) throws -> ArtifactKey {
        try ArtifactKey(validating: try request.parameter("path"))
    }

    /// What clients take as the sign to send the file in one piece.
    private static func unsupported(_ feature: String, _ request: GatewayRequest) throws -> RequestError {
        _ = try key(request)
        return RequestError(.notImplemented, "\(feature) is not supported for the current artifact repository")
    }
}
