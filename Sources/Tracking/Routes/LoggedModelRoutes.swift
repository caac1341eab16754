import ApusGateway
import ApusJSON
import ApusKernel
import ApusQuery
import HTTPTypes

/// The logged-model endpoints of MLflow's REST API; those that hand out files are with the artifacts.
struct LoggedModelRoutes {
    let store: TrackingStore

    /// What MLflow uses when a client asks for zero results.
    private static let resultsForZero: Int64 = 100
    /// What the protocol says for a client that does not say how many results it wants.
    private static let defaultResults: Int64 = 50

    private static let models = "2.0/mlflow/logged-models"
    private static let model = "2.0/mlflow/logged-models/{model_id}"

    var routes: [Route] {
        [
            Route(.post, Self.models, .api, .edit(.loggedModel), create),
            Route(.get, Self.model, .api, .read(.loggedModel), get),
            Route(.patch, Self.model, .api, .edit(.loggedModel), finalize),
            Route(.delete, Self.model, .api, .manage(.loggedModel), delete),
            Route(.post, "\(Self.model)/params", .api, .edit(.loggedModel), logParams),
            Route(.patch, "\(Self.model)/tags", .api, .edit(.loggedModel), setTags),
            Route(.delete, "\(Self.model)/tags/{tag_key}", .api, .edit(.loggedModel), deleteTag),
            Route(.post, "\(Self.models)/search", .api, .read(.loggedModel), search),
            Route(.post, "2.0/mlflow/runs/log-model", .api, .edit(.run), logLegacyModel),
        ]
    }

    private func create(_ request: GatewayRequest) async throws -> GatewayResponse {
        let new = try await request.message { message in
            TrackingStore.NewLoggedModel(
                experimentID: try message.requiredString("experiment_id"),
                name: try message.string("name") ?? "",
                type: try message.string("model_type") ?? "",
                sourceRunID: try message.string("source_run_id") ?? "",
                params: try message.pairs("params"),
                tags: try message.pairs("tags")
            )
        }
        return answer(try await store.createLoggedModel(new))
    }

    private func get(_ request: GatewayRequest) async throws -> GatewayResponse {
        let allowDeleted = request.queryValue("allow_deleted")?.lowercased() == "true"
        return answer(try await store.loggedModel(id: try request.parameter("model_id"), allowDeleted: allowDeleted))
    }

    private func finalize(_ request: GatewayRequest) async throws -> GatewayResponse {
        let status = try await request.message { message in
            guard let status = try message.enumeration("status", LoggedModelStatus.wireCases) else {
                throw message.missing("status")
            }
            return status
        }
        return answer(try await store.finalizeLoggedModel(id: try request.parameter("model_id"), status: status))
    }

    private func delete(_ request: GatewayRequest) async throws -> GatewayResponse {
        try await store.deleteLoggedModel(id: try request.parameter("model_id"))
        return .emptyMessage
    }

    private func logParams(_ request: GatewayRequest) async throws -> GatewayResponse {
        let params = try await request.message { try $0.pairs("params") }
        try await store.logLoggedModelParams(id: try request.parameter("model_id"), params)
        return .emptyMessage
    }

    private func setTags(_ request: GatewayRequest) async throws -> GatewayResponse {
        let tags = try await request.message { try $0.pairs("tags") }
        try await store.setLoggedModelTags(id: try request.parameter("model_id"), tags)
        return .emptyMessage
    }

    private func deleteTag(_ request: GatewayRequest) async throws -> GatewayResponse {
        try await store.deleteLoggedModelTag(
            id: try request.parameter("model_id"),
            key: try request.parameter("tag_key")
        )
        return .emptyMessage
    }

    private func search(_ request: GatewayRequest) async throws -> GatewayResponse {
        let search = try await request.message { message in
            let experiments = try message.strings("experiment_ids")
            guard !experiments.isEmpty else { throw message.missing("experiment_ids") }
            let limit = try message.integer("max_results") ?? Self.defaultResults
            return LoggedModelSearch(
                experimentIDs: experiments,
                filter: try message.string("filter") ?? "",
                datasets: try message.messages("datasets").map(Self.dataset),
                orderBy: try message.messages("order_by").map(Self.order),
                limit: limit == 0 ? Self.resultsForZero : limit,
                pageToken: try message.string("page_token") ?? ""
            )
        }
        let page = try await store.searchLoggedModels(search)
        return .json { json in
            if !page.items.isEmpty {
                json.key("models")
                json.array(page.items) { $0.loggedModel($1) }
            }
            json.nextPage(page.nextToken)
        }
    }

    private static func dataset(_ message: MessageReader) throws -> LoggedModelSearch.Dataset {
        let digest = try message.string("dataset_digest") ?? ""
        return LoggedModelSearch.Dataset(
            name: try message.string("dataset_name") ?? "",
            digest: digest.isEmpty ? nil : digest
        )
    }

    private static func order(_ message: MessageReader) throws -> OrderRequest {
        OrderRequest(
            fieldName: try message.string("field_name") ?? "",
            ascending: try message.bool("ascending") ?? true,
            datasetName: try message.string("dataset_name"),
            datasetDigest: try message.string("dataset_digest")
        )
    }

    private func logLegacyModel(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (id, json) = try await request.message {
            (try $0.requiredString("run_id"), try $0.requiredString("model_json"))
        }
        try await store.recordLegacyModel(run: id, try LegacyModel(parsing: json))
        return .emptyMessage
    }

    private func answer(_ model: LoggedModel) -> GatewayResponse {
        .json { json in
            json.key("model")
            json.loggedModel(model)
        }
    }
}
