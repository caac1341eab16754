import ApusGateway
import ApusJSON
import HTTPTypes
import Tracking

/// The endpoints of model versions in MLflow's REST API.
struct ModelVersionRoutes {
    let store: RegistryStore

    var routes: [Route] {
        [
            Route(.post, "2.0/mlflow/model-versions/create", .api, .edit(.registeredModel), create),
            Route(.patch, "2.0/mlflow/model-versions/update", .api, .edit(.registeredModel), update),
            Route(.post, "2.0/mlflow/model-versions/transition-stage", .api, .edit(.registeredModel), move),
            Route(.delete, "2.0/mlflow/model-versions/delete", .api, .manage(.registeredModel), delete),
            Route(.get, "2.0/mlflow/model-versions/get", .api, .read(.registeredModel), get),
            Route(.get, "2.0/mlflow/model-versions/search", .api, .read(.registeredModel), search),
            Route(.get, "2.0/mlflow/model-versions/get-download-uri", .api, .read(.registeredModel), downloadURI),
            Route(.post, "2.0/mlflow/model-versions/set-tag", .api, .edit(.registeredModel), setTag),
            Route(.delete, "2.0/mlflow/model-versions/delete-tag", .api, .edit(.registeredModel), deleteTag),
        ]
    }

    private func create(_ request: GatewayRequest) async throws -> GatewayResponse {
        let new = try await request.message { message in
            NewModelVersion(
                name: try message.requiredString("name"),
                source: try message.requiredString("source"),
                runID: try message.string("run_id"),
                loggedModelID: try message.string("model_id"),
                runLink: try message.string("run_link") ?? "",
                description: try message.string("description") ?? "",
                tags: try message.pairs("tags")
            )
        }
        return answer(try await store.createVersion(new))
    }

    private func update(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, version, description) = try await request.message {
            (try $0.requiredString("name"), try $0.requiredString("version"), try $0.string("description"))
        }
        return answer(try await store.updateVersion(version, of: name, description: description))
    }

    private func move(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, version, stage, archives) = try await request.message { message in
            (
                try message.requiredString("name"), try message.requiredString("version"),
                try message.requiredString("stage"), try message.bool("archive_existing_versions") ?? false
            )
        }
        return answer(try await store.moveVersion(version, of: name, to: stage, archivesOthers: archives))
    }

    private func delete(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, version) = try await request.message { try $0.versionName() }
        try await store.deleteVersion(version, of: name)
        return .emptyMessage
    }

    private func get(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, version) = try await request.message { try $0.versionName() }
        return answer(try await store.version(version, of: name))
    }

    private func answer(_ version: ModelVersion) -> GatewayResponse {
        .json { json in
            json.key("model_version")
            json.modelVersion(version)
        }
    }

    private func search(_ request: GatewayRequest) async throws -> GatewayResponse {
        let search = try await request.message { try $0.registrySearch(defaultLimit: 200_000) }
        let page = try await store.searchVersions(search)
        return .json { json in
            if !page.items.isEmpty {
                json.key("model_versions")
                json.array(page.items) { $0.modelVersion($1) }
            }
            json.nextPage(page.nextToken)
        }
    }

    private func downloadURI(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, version) = try await request.message { try $0.versionName() }
        let location = try await store.version(version, of: name).storageLocation
        return .json { $0.member("artifact_uri", location) }
    }

    private func setTag(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, version, tag) = try await request.message { message in
            let (name, version) = try message.versionName()
            let key = try message.requiredString("key")
            return (name, version, KeyValue(key: key, value: try message.string("value") ?? ""))
        }
        try await store.setVersionTag(version, of: name, tag)
        return .emptyMessage
    }

    private func deleteTag(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, version, key) = try await request.message { message in
            let (name, version) = try message.versionName()
            return (name, version, try message.requiredString("key"))
        }
        try await store.deleteVersionTag(version, of: name, key: key)
        return .emptyMessage
    }
}
