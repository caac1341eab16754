import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes

/// The experiment endpoints of MLflow's REST API.
struct ExperimentRoutes {
    let store: TrackingStore

    var routes: [Route] {
        [
            Route(.post, "2.0/mlflow/experiments/create", .api, .edit(.experiment), create),
            Route(.post, "2.0/mlflow/experiments/search", .api, .read(.experiment), search),
            Route(.get, "2.0/mlflow/experiments/search", .api, .read(.experiment), search),
            Route(.get, "2.0/mlflow/experiments/get", .api, .read(.experiment), get),
            Route(.get, "2.0/mlflow/experiments/get-by-name", .api, .read(.experiment), getByName),
            Route(.post, "2.0/mlflow/experiments/delete", .api, .manage(.experiment)) { request in
                try await move(request, to: .deleted)
            },
            Route(.post, "2.0/mlflow/experiments/restore", .api, .manage(.experiment)) { request in
                try await move(request, to: .active)
            },
            Route(.post, "2.0/mlflow/experiments/update", .api, .edit(.experiment), rename),
            Route(.post, "2.0/mlflow/experiments/set-experiment-tag", .api, .edit(.experiment), setTag),
            Route(.post, "2.0/mlflow/experiments/delete-experiment-tag", .api, .edit(.experiment), deleteTag),
        ]
    }

    private func create(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, location, tags) = try await request.message { message in
            (try message.requiredString("name"), try message.string("artifact_location"), try message.pairs("tags"))
        }
        let id = try await store.createExperiment(name: name, artifactLocation: location ?? "", tags: tags)
        return .json { $0.member("experiment_id", "\(id)") }
    }

    private func get(_ request: GatewayRequest) async throws -> GatewayResponse {
        let id = try await request.message { try $0.requiredString("experiment_id") }
        return answer(try await store.experiment(id: id))
    }

    private func getByName(_ request: GatewayRequest) async throws -> GatewayResponse {
        let name = try await request.message { try $0.requiredString("experiment_name") }
        return answer(try await store.experiment(named: name))
    }

    private func answer(_ experiment: Experiment) -> GatewayResponse {
        .json { json in
            json.key("experiment")
            json.experiment(experiment)
        }
    }

    private func move(_ request: GatewayRequest, to stage: LifecycleStage) async throws -> GatewayResponse {
        let id = try await request.message { try $0.requiredString("experiment_id") }
        try await store.moveExperiment(id: id, to: stage)
        return .emptyMessage
    }

    private func rename(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (id, name) = try await request.message {
            (try $0.requiredString("experiment_id"), try $0.requiredString("new_name"))
        }
        try await store.renameExperiment(id: id, to: name)
        return .emptyMessage
    }

    private func setTag(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (id, tag) = try await request.message { message in
            (
                try message.requiredString("experiment_id"),
                KeyValue(key: try message.requiredString("key"), value: try message.string("value") ?? "")
            )
        }
        try await store.setExperimentTag(id: id, tag)
        return .emptyMessage
    }

    private func deleteTag(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (id, key) = try await request.message {
            (try $0.requiredString("experiment_id"), try $0.requiredString("key"))
        }
        try await store.deleteExperimentTag(id: id, key: key)
        return .emptyMessage
    }

    private func search(_ request: GatewayRequest) async throws -> GatewayResponse {
        let query = try await request.message { message in
            ExperimentSearch(
                filter: try message.string("filter") ?? "",
                orderBy: try message.strings("order_by"),
                view: try message.enumeration("view_type", ViewType.wireCases) ?? .activeOnly,
                limit: try message.integer("max_results") ?? 0,
                pageToken: try message.string("page_token") ?? ""
            )
        }
        let page = try await store.searchExperiments(query)
        return .json { json in
            if !page.items.isEmpty {
                json.key("experiments")
                json.array(page.items) { $0.experiment($1) }
            }
            json.nextPage(page.nextToken)
        }
    }
}
