import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes

/// The run endpoints of MLflow's REST API, and what MLflow lacks: moving runs between experiments.
struct RunRoutes {
    let store: TrackingStore

    /// Runs that are loaded at once.
    private static let runsPerPiece = 100
    /// An answer of more bytes than this is sent in pieces.
    private static let bytesPerPiece = 1 << 20

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
        let pieces = RunPieces(store, page.items, size: Self.runsPerPiece)
        var json = JSONWriter()
        json.beginObject()
        if try await pieces.write(to: &json, upTo: Self.bytesPerPiece) {
            json.nextPage(page.nextToken)
            json.endObject()
            return .json(bytes: json.bytes)
        }
        let begun = json
        return .streamingJSON { json in
            if await pieces.isFirstStreamed { json = begun }
            guard try await pieces.write(to: &json, upTo: Self.bytesPerPiece) else { return true }
            json.nextPage(page.nextToken)
            json.endObject()
            return false
        }
    }
}

/// Writes found runs a piece at a time, so that memory stays flat however many there are and whatever they hold.
private actor RunPieces {
    private let store: TrackingStore
    private let found: [FoundRun]
    private let size: Int
    private var place = 0
    private var loaded: ArraySlice<Run> = []
    private var isBegun = false
    private var wasStreamed = false

    init(_ store: TrackingStore, _ found: [FoundRun], size: Int) {
        self.store = store
        self.found = found
        self.size = size
    }

    /// True for the first time that it is asked.
    var isFirstStreamed: Bool {
        defer { wasStreamed = true }
        return !wasStreamed
    }

    /// - Returns: Whether all runs have been written.
    func write(to json: inout JSONWriter, upTo limit: Int) async throws -> Bool {
        if !isBegun, !found.isEmpty {
            json.key("runs")
            json.beginArray()
        }
        isBegun = true
        var writer = json
        while writer.bytes.count < limit {
            if loaded.isEmpty {
                guard place < found.count else { break }
                let end = min(place + size, found.count)
                loaded = try await store.complete(Array(found[place..<end]))[...]
                place = end
            }
            if let run = loaded.popFirst() { writer.run(run) }
        }
        json = writer
        guard loaded.isEmpty, place >= found.count else { return false }
        if !found.isEmpty { json.endArray() }
        return true
    }
}
