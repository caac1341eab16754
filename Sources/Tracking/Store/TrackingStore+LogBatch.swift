import ApusDatabase
import ApusKernel

/// What one request logs to a run.
package struct LogBatch: Sendable {
    package var runID: String
    package var metrics: [MetricPoint] = []
    package var params: [KeyValue] = []
    package var tags: [KeyValue] = []

    package init(runID: String) {
        self.runID = runID
    }

    /// Checks names and limits, and cuts values that are too long.
    package mutating func validate() throws {
        try Limits.runID(runID)
        for (index, point) in metrics.enumerated() { try Limits.metric(point, path: "metrics[\(index)]") }
        for index in params.indices { params[index] = try Limits.param(params[index], path: "params[\(index)]") }
        for index in tags.indices { tags[index] = try Limits.runTag(tags[index], path: "tags[\(index)]") }
        try Self.check(metrics.count, Limits.metricsPerBatch, "metrics")
        try Self.check(params.count, Limits.paramsPerBatch, "params")
        try Self.check(tags.count, Limits.tagsPerBatch, "tags")
        let total = metrics.count + params.count + tags.count
        guard total <= Limits.entitiesPerBatch else {
            throw RequestError.invalid(
                "A batch logging request can contain at most \(Limits.entitiesPerBatch) metrics, params, and tags. "
                    + "Got \(total) metrics, params, and tags. Please split up metrics, params, and tags across "
                    + "multiple requests and try again."
            )
        }
        var seen: Set<ExactText> = []
        let repeated = params.map(\.key).filter { !seen.insert(ExactText($0)).inserted }
        guard repeated.isEmpty else {
            throw RequestError.invalid(
                "Duplicate parameter keys have been submitted: [\(repeated.map { "'\($0)'" }.joined(separator: ", "))]. "
                    + "Please ensure the request contains only one param value per param key."
            )
        }
    }

    private static func check(_ count: Int, _ limit: Int, _ name: String) throws {
        guard count > limit else { return }
        throw RequestError.invalid(
            "A batch logging request can contain at most \(limit) \(name). Got \(count) \(name). "
                + "Please split up \(name) across multiple requests and try again."
        )
    }
}

extension TrackingStore {
    /// Logs metrics, params and tags to an active run, all or nothing.
    package func log(_ batch: LogBatch) async throws {
        try await database.write(
            subject: Self.subject(batch.runID, isLarge: batch.metrics.count > 100)
        ) { [self] transaction in
            let run = try Self.activeRun(batch.runID, transaction)
            if !batch.params.isEmpty {
                try Self.log(batch.params, to: run.key, transaction) { changes in
                    .paramsChanged(changes, run: batch.runID)
                }
            }
            if !batch.metrics.isEmpty {
                try log(batch.metrics, to: run, transaction)
                try Self.logModelMetrics(batch.metrics, runID: batch.runID, transaction)
            }
            guard !batch.tags.isEmpty else { return }
            let tags = batch.tags.lastOfEachKey().sorted { $0.key < $1.key }
            try Self.setTags(tags, on: run.key, transaction)
            if let name = tags.first(where: { $0.key == runNameTag })?.value {
                try Self.rename(run.key, to: name, transaction)
            }
        }
    }

    /// Logs one param; the same value again does nothing.
    package func logParam(run id: String, _ param: KeyValue) async throws {
        let param = try Limits.param(param)
        try await database.write(subject: Self.subject(id)) { transaction in
            let run = try Self.activeRun(id, transaction)
            try Self.log([param], to: run.key, transaction) { changes in
                .paramChanged(key: changes[0].key, old: changes[0].old, new: changes[0].new, run: id)
            }
        }
    }

    /// Logs params, which cannot be changed once they are there.
    private static func log(
        _ params: [KeyValue],
        to run: Int64,
        _ transaction: Transaction,
        conflict: ([(key: String, old: String, new: String)]) -> TrackingError
    ) throws {
        let added = try transaction.insert(
            BulkInsert(
                into: "params",
                [
                    ("run_id", .integers(params.map { _ in run })),
                    ("key", .texts(params.map(\.key))),
                    ("value", .texts(params.map(\.value))),
                ],
                conflict: "ON CONFLICT DO NOTHING"
            )
        )
        guard added < params.count else { return }
        var stored: [ExactText: ExactText] = [:]
        try transaction.forEach(
            "SELECT key, value FROM params WHERE run_id = ? AND key IN (?*)",
            [.integer(run), .texts(params.map(\.key))]
        ) { stored[ExactText($0.text(0))] = ExactText($0.text(1)) }
        let changes = params.compactMap { param -> (key: String, old: String, new: String)? in
            guard let old = stored[ExactText(param.key)], old != ExactText(param.value) else { return nil }
            return (param.key, old.text, param.value)
        }
        guard changes.isEmpty else { throw conflict(changes) }
    }

    private func log(_ points: [MetricPoint], to run: RunRow, _ transaction: Transaction) throws {
        let keys = try metricKeys.resolve(points.map(\.key), in: transaction)
        let packed = MetricPack.tail(points, keys: keys)
        try transaction.execute(
            "INSERT INTO metric_tail (run_id, points) VALUES (?, ?)",
            [.integer(run.key), .blob(packed)]
        )
        transaction.onCommit { [compactor] in compactor.noteTail(run: run.key, bytes: packed.count) }
        var latest: [Int64: Int] = [:]
        for (index, key) in keys.enumerated() {
            guard let best = latest[key] else {
                latest[key] = index
                continue
            }
            if points[index].isLater(than: points[best]) { latest[key] = index }
        }
        let chosen = latest.sorted { $0.key < $1.key }
        try transaction.insert(
            BulkInsert(
                into: "latest_metrics",
                [
                    ("run_id", .integers(chosen.map { _ in run.key })),
                    ("key_id", .integers(chosen.map(\.key))),
                    ("experiment_id", .integers(chosen.map { _ in run.experimentID })),
                    ("value", .reals(chosen.map { points[$0.value].value })),
                    ("is_nan", .integers(chosen.map { points[$0.value].isNaN ? 1 : 0 })),
                    ("timestamp", .integers(chosen.map { points[$0.value].timestamp })),
                    ("step", .integers(chosen.map { points[$0.value].step })),
                ],
                conflict: """
                    ON CONFLICT (run_id, key_id) DO UPDATE SET
                        value = excluded.value, is_nan = excluded.is_nan,
                        timestamp = excluded.timestamp, step = excluded.step
                    WHERE (excluded.step, excluded.timestamp, excluded.value)
                        > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)
                    """
            )
        )
    }

    /// Copies points that name a logged model to that model.
    private static func logModelMetrics(_ points: [MetricPoint], runID: String, _ transaction: Transaction) throws {
        let measured = points.filter { $0.model != nil }
        guard !measured.isEmpty else { return }
        var keys: [String: Int64] = [:]
        try transaction.forEach(
            "SELECT model_id, logged_model_id FROM logged_models WHERE model_id IN (?*)",
            [.texts(Array(Set(measured.compactMap { $0.model?.modelID })))]
        ) { keys[$0.text(0)] = $0.integer(1) }
        for point in measured {
            guard let model = point.model else { continue }
            guard let key = keys[model.modelID] else { throw TrackingError.loggedModelNotFound(id: model.modelID) }
            try transaction.execute(
                """
                INSERT INTO logged_model_metrics (
                    logged_model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, is_nan, run_id,
                    dataset_name, dataset_digest
                )
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (
                    logged_model_id, metric_name, dataset_name, dataset_digest, metric_step, metric_timestamp_ms, run_id
                )
                DO UPDATE SET metric_value = excluded.metric_value, is_nan = excluded.is_nan
                WHERE excluded.metric_value > logged_model_metrics.metric_value
                """,
                [
                    .integer(key), .text(point.key), .integer(point.timestamp), .integer(point.step),
                    .real(point.value), .integer(point.isNaN ? 1 : 0), .text(runID), .text(model.datasetName ?? ""),
                    .text(model.datasetDigest ?? ""),
                ]
            )
        }
    }
}
