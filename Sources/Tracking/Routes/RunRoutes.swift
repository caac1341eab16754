import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes

/// The run endpoints of MLflow's REST API, and what MLflow lacks: moving runs between experiments.
struct RunRoutes {
    let store: TrackingStore

    /// A page of more runs than this is sent in pieces.
    private static let runsPerPiece = 500

    var routes: [Route] {
        [
            Route(.post, "2.0/mlflow/runs/create", .api, .edit(.experiment), create),
            Route(.get, "2.0/mlflow/runs/get", .api, .read(.run), get),
            Route(.post, "2.0/mlflow/runs/update", .api, .edit(.run), update),
            Route(.post, "2.0/mlflow/runs/delete", .api, .edit(.run)) { request in
                try await move(request, to: .deleted)
            },
            Route(.post, "2.0/mlflow/runs/restore", .api, .edit(.run)) { request in
                try await move(request, to: .active)
            },
            Route(.post, "2.0/mlflow/runs/search", .api, .read(.run), search),
            Route(.post, "2.0/mlflow/runs/set-tag", .api, .edit(.run), setTag),
            Route(.post, "2.0/mlflow/runs/delete-tag", .api, .edit(.run), deleteTag),
            Route(.post, "2.0/mlflow/runs/log-parameter", .api, .edit(.run), logParam),
            Route(.post, "2.0/apus/runs/move", .api, .edit(.experiment), moveToExperiment),
        ]
    }

    private func create(_ request: GatewayRequest) async throws -> GatewayResponse {
        let new = try await request.message { message in
            TrackingStore.NewRun(
                experimentID: try message.string("experiment_id") ?? "",
                userID: try message.string("user_id") ?? "",
                name: try message.string("run_name") ?? "",
                startTime: try message.integer("start_time") ?? 0,
                tags: try message.pairs("tags")
            )
        }
        return answer(try await store.createRun(new), isNew: true)
    }

    private func get(_ request: GatewayRequest) async throws -> GatewayResponse {
        let id = try await request.message { try $0.runID() }
        return answer(try await store.run(id: id))
    }

    private func answer(_ run: Run, isNew: Bool = false) -> GatewayResponse {
        .json { json in
            json.key("run")
            json.run(run, isNew: isNew)
        }
    }

    private func update(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (id, status, endTime, name) = try await request.message { message in
            (
                try message.runID(), try message.enumeration("status", RunStatus.wireCases),
                try message.integer("end_time"), try message.string("run_name")
            )
        }
        let info = try await store.updateRun(id: id, status: status, endTime: endTime, name: name)
        return .json { json in
            json.key("run_info")
            json.runInfo(info)
        }
    }

    private func move(_ request: GatewayRequest, to stage: LifecycleStage) async throws -> GatewayResponse {
        let id = try await request.message { try $0.requiredString("run_id") }
        try await store.moveRun(id: id, to: stage)
        return .emptyMessage
    }

    private func moveToExperiment(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (ids, experiment) = try await request.message { message in
            (try message.strings("run_ids", limit: 1_000), try message.requiredString("experiment_id"))
        }
        try await store.moveRuns(ids: ids, toExperiment: experiment)
        return .emptyMessage
    }

    private func setTag(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (id, tag) = try await request.message { message in
            (
                try message.runID(),
                KeyValue(key: try message.requiredString("key"), value: try message.string("value") ?? "")
            )
        }
        try await store.setTag(run: id, tag)
        return .emptyMessage
    }

    private func deleteTag(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (id, key) = try await request.message { (try $0.requiredString("run_id"), try $0.requiredString("key")) }
        try await store.deleteTag(run: id, key: key)
        return .emptyMessage
    }

    private func logParam(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (id, param) = try await request.message { message in
            (
                try message.runID(),
                KeyValue(key: try message.requiredString("key"), value: try message.string("value") ?? "")
            )
        }
        try await store.logParam(run: id, param)
        return .emptyMessage
    }

    private func search(_ request: GatewayRequest) async throws -> GatewayResponse {
        let search = try await request.message { message in
            RunSearch(
                experimentIDs: try message.strings("experiment_ids", limit: 50_000),
                filter: try message.string("filter") ?? "",
                orderBy: try message.strings("order_by"),
                view: try message.enumeration("run_view_type", ViewType.wireCases) ?? .activeOnly,
                limit: try message.integer("max_results") ?? 1000,
                pageToken: try message.string("page_token") ?? ""
            )
        }
        let page = try await store.searchRuns(search)
        guard page.items.count > Self.runsPerPiece else {
            let runs = try await store.complete(page.items)
            return .json { json in
                if !runs.isEmpty {
                    json.key("runs")
                    json.array(runs) { $0.run($1) }
                }
                json.nextPage(page.nextToken)
            }
        }
        return stream(page)
    }

    private func stream(_ page: Page<FoundRun>) -> GatewayResponse {
        let pieces = Pieces(page.items, size: Self.runsPerPiece)
        return .streamingJSON { [store] json in
            guard let piece = await pieces.next() else {
                json.endArray()
                json.nextPage(page.nextToken)
                json.endObject()
                return false
            }
            if piece.isFirst {
                json.beginObject()
                json.key("runs")
                json.beginArray()
            }
            for run in try await store.complete(piece.items) { json.run(run) }
            return true
        }
    }
}

/// Hands out a list piece by piece.
actor Pieces<Item: Sendable> {
    private let items: [Item]
    private let size: Int
    private var place = 0

    init(_ items: [Item], size: Int) {
        self.items = items
        self.size = size
    }

    func next() -> (items: [Item], isFirst: Bool)? {
        guard place < items.count else { return nil }
        let end = min(place + size, items.count)
        defer { place = end }
        return (Array(items[place..<end]), place == 0)
    }
}
