import ApusGateway
import ApusKernel
import HTTPTypes
import Tracking

/// Hands out the files of model versions.
///
/// Who may read a version's files is asked here, at each download, and not only when the version was made.
struct ModelVersionArtifactRoutes {
    let store: RegistryStore
    let artifacts: ArtifactService

    var routes: [Route] {
        [Route(.get, "model-versions/get-artifact", .root, .read(.registeredModel), download)]
    }

    private func download(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, number, path) = try await request.message { message in
            (
                try message.requiredString("name"), try message.requiredString("version"),
                try message.requiredString("path")
            )
        }
        let version = try await store.version(number, of: name)
        return try await artifacts.download(path, below: version.storageLocation, for: request)
    }
}
