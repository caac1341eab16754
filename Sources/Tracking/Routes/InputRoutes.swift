import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes

/// Endpoints that record what runs read and wrote.
struct InputRoutes {
    let store: TrackingStore

    private static let maximumExperiments = 20
    private static let maximumSummaries: Int64 = 1_000

    var routes: [Route] {
        [
            Route(.post, "2.0/mlflow/runs/log-inputs", .api, .edit(.run), logInputs),
            Route(.post, "2.0/mlflow/runs/outputs", .api, .edit(.run), logOutputs),
            Route(.post, "2.0/mlflow/experiments/search-datasets", .ajax, .read(.experiment), searchDatasets),
        ]
    }

    private func logInputs(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (id, datasets, models) = try await request.message { message in
            (
                try message.requiredString("run_id"), try message.messages("datasets").map(Self.dataset),
                try message.messages("models").map { try $0.requiredString("model_id") }
            )
        }
        try await store.logInputs(run: id, datasets: datasets, models: models)
        return .emptyMessage
    }

    private func logOutputs(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (id, models) = try await request.message { message in
            (
                try message.requiredString("run_id"),
                try message.messages("models").map { model in
                    ModelOutput(modelID: try model.requiredString("model_id"), step: try model.integer("step") ?? 0)
                }
            )
        }
        try await store.logOutputs(run: id, models: models)
        return .emptyMessage
    }

    private static func dataset(_ message: MessageReader) throws -> DatasetInput {
        guard let dataset = try message.message("dataset") else { throw message.missing("dataset") }
        return DatasetInput(
            name: try dataset.requiredString("name"),
            digest: try dataset.requiredString("digest"),
            sourceType: try dataset.requiredString("source_type"),
            source: try dataset.requiredString("source"),
            schema: try dataset.string("schema"),
            profile: try dataset.string("profile"),
            tags: try message.pairs("tags")
        )
    }

    private func searchDatasets(_ request: GatewayRequest) async throws -> GatewayResponse {
        let ids = try await request.message { try $0.strings("experiment_ids") }
        guard !ids.isEmpty else {
            throw RequestError.invalid("SearchDatasets request must specify at least one experiment_id.")
        }
        guard ids.count <= Self.maximumExperiments else {
            throw RequestError.invalid(
                "SearchDatasets request cannot specify more than \(Self.maximumExperiments) experiment_ids. "
                    + "Received \(ids.count) experiment_ids."
            )
        }
        let found = try await store.datasetSummaries(experiments: ids, limit: Self.maximumSummaries)
        return .json { json in
            guard !found.isEmpty else { return }
            json.key("dataset_summaries")
            json.array(found) { json, summary in
                json.object { json in
                    json.member("experiment_id", "\(summary.experimentID)")
                    json.member("name", summary.name)
                    json.member("digest", summary.digest)
                    if let context = summary.context { json.member("context", context) }
                }
            }
        }
    }
}
