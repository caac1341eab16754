import ApusGateway
import ApusJSON
import HTTPTypes

/// The endpoints of aliases in MLflow's REST API.
struct AliasRoutes {
    let store: RegistryStore

    var routes: [Route] {
        [
            Route(.post, "2.0/mlflow/registered-models/alias", .api, .edit(.registeredModel), set),
            Route(.delete, "2.0/mlflow/registered-models/alias", .api, .edit(.registeredModel), delete),
            Route(.get, "2.0/mlflow/registered-models/alias", .api, .read(.registeredModel), get),
        ]
    }

    private func set(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, alias, version) = try await request.message {
            (try $0.requiredString("name"), try $0.requiredString("alias"), try $0.requiredString("version"))
        }
        try await store.setAlias(alias, of: name, version: version)
        return .emptyMessage
    }

    private func delete(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, alias) = try await request.message {
            (try $0.requiredString("name"), try $0.requiredString("alias"))
        }
        try await store.deleteAlias(alias, of: name)
        return .emptyMessage
    }

    private func get(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, alias) = try await request.message {
            (try $0.requiredString("name"), try $0.requiredString("alias"))
        }
        let version = try await store.version(alias: alias, of: name)
        return .json { json in
            json.key("model_version")
            json.modelVersion(version)
        }
    }
}
