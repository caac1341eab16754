import ApusGateway
import ApusJSON
import HTTPTypes
import Tracking

/// The endpoints of registered models in MLflow's REST API.
struct RegisteredModelRoutes {
    let store: RegistryStore

    var routes: [Route] {
        [
            Route(.post, "2.0/mlflow/registered-models/create", .api, .edit(.registeredModel), create),
            Route(.post, "2.0/mlflow/registered-models/rename", .api, .manage(.registeredModel), rename),
            Route(.patch, "2.0/mlflow/registered-models/update", .api, .edit(.registeredModel), update),
            Route(.delete, "2.0/mlflow/registered-models/delete", .api, .manage(.registeredModel), delete),
            Route(.get, "2.0/mlflow/registered-models/get", .api, .read(.registeredModel), get),
            Route(.get, "2.0/mlflow/registered-models/search", .api, .read(.registeredModel), search),
            Route(.get, "2.0/mlflow/registered-models/get-latest-versions", .api, .read(.registeredModel), latest),
            Route(.post, "2.0/mlflow/registered-models/get-latest-versions", .api, .read(.registeredModel), latest),
            Route(.post, "2.0/mlflow/registered-models/set-tag", .api, .edit(.registeredModel), setTag),
            Route(.delete, "2.0/mlflow/registered-models/delete-tag", .api, .edit(.registeredModel), deleteTag),
        ]
    }

    private func create(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, description, tags) = try await request.message { message in
            (
                try message.requiredString("name"), try message.string("description") ?? "",
                try message.pairs("tags")
            )
        }
        return answer(try await store.createModel(name: name, description: description, tags: tags))
    }

    private func rename(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, newName) = try await request.message {
            (try $0.requiredString("name"), try $0.requiredString("new_name"))
        }
        return answer(try await store.renameModel(name: name, to: newName))
    }

    private func update(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, description) = try await request.message {
            (try $0.requiredString("name"), try $0.string("description") ?? "")
        }
        return answer(try await store.updateModel(name: name, description: description))
    }

    private func delete(_ request: GatewayRequest) async throws -> GatewayResponse {
        try await store.deleteModel(name: try await request.message { try $0.requiredString("name") })
        return .emptyMessage
    }

    private func get(_ request: GatewayRequest) async throws -> GatewayResponse {
        let name = try await request.message { try $0.requiredString("name") }
        return answer(try await store.model(named: name))
    }

    private func answer(_ model: RegisteredModel) -> GatewayResponse {
        .json { json in
            json.key("registered_model")
            json.registeredModel(model)
        }
    }

    private func search(_ request: GatewayRequest) async throws -> GatewayResponse {
        let search = try await request.message { try $0.registrySearch(defaultLimit: 100) }
        let page = try await store.searchModels(search)
        return .json { json in
            if !page.items.isEmpty {
                json.key("registered_models")
                json.array(page.items) { $0.registeredModel($1) }
            }
            json.nextPage(page.nextToken)
        }
    }

    private func latest(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, stages) = try await request.message {
            (try $0.requiredString("name"), try $0.strings("stages", limit: 100))
        }
        let versions = try await store.latestVersions(of: name, stages: stages)
        return .json { json in
            guard !versions.isEmpty else { return }
            json.key("model_versions")
            json.array(versions) { $0.modelVersion($1) }
        }
    }

    private func setTag(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, tag) = try await request.message { message in
            (
                try message.requiredString("name"),
                KeyValue(key: try message.requiredString("key"), value: try message.string("value") ?? "")
            )
        }
        try await store.setModelTag(name: name, tag)
        return .emptyMessage
    }

    private func deleteTag(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, key) = try await request.message {
            (try $0.requiredString("name"), try $0.requiredString("key"))
        }
        try await store.deleteModelTag(name: name, key: key)
        return .emptyMessage
    }
}
