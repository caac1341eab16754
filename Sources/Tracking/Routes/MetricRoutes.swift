import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes

/// The metric endpoints of MLflow's REST API: logging and histories.
struct MetricRoutes {
    let store: TrackingStore

    private static let pointsPerPiece: Int64 = 50_000
    private static let maximumPagePoints: Int64 = 1_000_000
    private static let maximumRuns = 100
    private static let maximumBulkPoints: Int64 = 25_000
    private static let maximumSampledPoints: Int64 = 2_500

    var routes: [Route] {
        [
            Route(.post, "2.0/mlflow/runs/log-metric", .api, .edit(.run), logMetric),
            Route(.post, "2.0/mlflow/runs/log-batch", .api, .edit(.run), logBatch),
            Route(.get, "2.0/mlflow/metrics/get-history", .api, .read(.run), history),
            Route(.get, "2.0/mlflow/metrics/get-history-bulk", .ajax, .read(.run), bulk),
            Route(.get, "2.0/mlflow/metrics/get-history-bulk-interval", .api, .read(.run), bulkInterval),
        ]
    }

    private func logMetric(_ request: GatewayRequest) async throws -> GatewayResponse {
        let batch = try await request.message { message in
            var batch = LogBatch(runID: try message.runID())
            let key = try message.requiredString("key")
            guard let value = try message.double("value") else { throw message.missing("value") }
            batch.metrics = [
                MetricPoint(
                    key: key,
                    value: value,
                    timestamp: try message.requiredInteger("timestamp"),
                    step: try message.integer("step") ?? 0,
                    model: try LogBatchReader.modelReference(
                        try message.string("model_id"),
                        try message.string("dataset_name"),
                        try message.string("dataset_digest")
                    )
                )
            ]
            return batch
        }
        for point in batch.metrics { try Limits.metric(point) }
        try await store.log(batch)
        return .emptyMessage
    }

    private func logBatch(_ request: GatewayRequest) async throws -> GatewayResponse {
        var batch = try await request.message(LogBatchReader.read)
        try batch.validate()
        try await store.log(batch)
        return .emptyMessage
    }

    private func history(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (id, key, limit, token) = try await request.message { message in
            (
                try message.runID(), try message.requiredString("metric_key"), try message.integer("max_results"),
                try message.string("page_token") ?? ""
            )
        }
        let position = try HistoryPosition(token: token)
        guard let limit else { return try await wholeHistory(id, key, after: position) }
        guard limit > 0 else {
            throw RequestError.invalid(
                "Invalid value \(limit) for parameter 'max_results' supplied. It must be a positive integer."
            )
        }
        let capped = min(limit, Self.maximumPagePoints)
        let points = try await store.history(run: id, key: key, after: position, limit: capped + 1)
        let page = points.prefix(Int(clamping: capped))
        return .json { json in
            json.points(page)
            json.nextPage(points.count > page.count ? page.last.map { HistoryPosition(of: $0).token } : nil)
        }
    }

    /// Streams a history of any length; only one piece of it is in memory.
    private func wholeHistory(
        _ id: String,
        _ key: String,
        after position: HistoryPosition?
    ) async throws -> GatewayResponse {
        let first = try await store.history(run: id, key: key, after: position, limit: Self.pointsPerPiece)
        guard first.count == Int(Self.pointsPerPiece) else {
            return .json { $0.points(first[...]) }
        }
        let reader = HistoryPieces(store: store, run: id, key: key, first: first, limit: Self.pointsPerPiece)
        return .streamingJSON { json in
            guard let piece = try await reader.next() else {
                json.endArray()
                json.endObject()
                return false
            }
            if piece.isFirst {
                json.beginObject()
                json.key("metrics")
                json.beginArray()
            }
            for point in piece.points { json.metric(point) }
            return true
        }
    }

    private func bulk(_ request: GatewayRequest) async throws -> GatewayResponse {
        let ids = request.query.filter { $0.name == "run_id" }.map(\.value)
        guard !ids.isEmpty else {
            throw RequestError.invalid("GetMetricHistoryBulk request must specify at least one run_id.")
        }
        guard ids.count <= Self.maximumRuns else {
            throw RequestError.invalid(
                "GetMetricHistoryBulk request cannot specify more than \(Self.maximumRuns) run_ids. "
                    + "Received \(ids.count) run_ids."
            )
        }
        guard let key = request.queryValue("metric_key") else {
            throw RequestError.invalid("GetMetricHistoryBulk request must specify a metric_key.")
        }
        let asked = try MessageReader(query: request.query).integer("max_results") ?? Self.maximumBulkPoints
        let limit = min(max(asked, 0), Self.maximumBulkPoints)
        let points = try await store.histories(runs: ids, key: key, limit: limit)
        return .json { json in
            json.key("metrics")
            json.array(points) { json, found in
                json.object { json in
                    json.member("key", found.1.key)
                    json.key("value")
                    // This endpoint is not protobuf: its readers expect the bare token.
                    if found.1.isNaN { json.raw(json: "NaN".utf8) } else { json.double(found.1.value) }
                    json.member("timestamp", found.1.timestamp)
                    json.member("step", found.1.step)
                    json.member("run_id", found.run)
                }
            }
        }
    }

    private func bulkInterval(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (ids, key, start, end, limit) = try await request.message { message in
            (
                try message.strings("run_ids"), try message.requiredString("metric_key"),
                try message.integer("start_step"), try message.integer("end_step"),
                try message.integer("max_results") ?? Self.maximumSampledPoints
            )
        }
        guard !ids.isEmpty else { throw MessageReader.empty.missing("run_ids") }
        guard ids.count <= Self.maximumRuns else {
            throw RequestError.invalid(
                "GetMetricHistoryBulkInterval request must specify at most \(Self.maximumRuns) run_ids. "
                    + "Received \(ids.count) run_ids."
            )
        }
        guard (1...Self.maximumSampledPoints).contains(limit) else {
            throw RequestError.invalid("max_results must be between 1 and \(Self.maximumSampledPoints).")
        }
        guard (start == nil) == (end == nil) else {
            throw RequestError.invalid(
                "If either start step or end step are specified, both must be specified."
            )
        }
        var steps: ClosedRange<Int64>?
        if let start, let end {
            guard start <= end else {
                throw RequestError.invalid(
                    "end_step must be greater than start_step. Found start_step=\(start) and end_step=\(end)."
                )
            }
            steps = start...end
        }
        let points = try await store.sampledHistories(runs: ids, key: key, steps: steps, limit: limit)
        return .json { json in
            guard !points.isEmpty else { return }
            json.key("metrics")
            json.array(points) { $0.metric($1.1, runID: $1.run) }
        }
    }
}

/// Reads a long history one piece after the other.
private actor HistoryPieces {
    private let store: TrackingStore
    private let run: String
    private let key: String
    private let limit: Int64
    private var waiting: [MetricPoint]?
    private var end: HistoryPosition?

    init(store: TrackingStore, run: String, key: String, first: [MetricPoint], limit: Int64) {
        self.store = store
        self.run = run
        self.key = key
        self.limit = limit
        end = first.last.map(HistoryPosition.init)
        waiting = first
    }

    func next() async throws -> (points: [MetricPoint], isFirst: Bool)? {
        if let first = waiting {
            waiting = nil
            return (first, true)
        }
        guard let position = end else { return nil }
        let points = try await store.history(run: run, key: key, after: position, limit: limit)
        end = points.count < Int(limit) ? nil : points.last.map(HistoryPosition.init)
        return points.isEmpty ? nil : (points, false)
    }
}

extension JSONWriter {
    /// Writes `metrics`; absent when there are none.
    fileprivate mutating func points(_ points: ArraySlice<MetricPoint>) {
        guard !points.isEmpty else { return }
        key("metrics")
        array(points) { $0.metric($1) }
    }
}
