import ApusDatabase
import ApusKernel
import ApusLedger

/// Logs what many requests bring, as one set: about as many statements for a hundred requests as for one.
///
/// The result is the same as if the requests had come one after the other.
struct LogGroup: Sendable {
    let metricKeys: MetricKeys
    let compactor: MetricCompactor
    /// Told when something was logged.
    let changes: ChangeFeed

    /// A request whose run is active, and its place in the group.
    struct Member {
        let place: Int
        let batch: LogBatch
        let run: TrackingStore.RunRow
    }

    /// Answers each request; one that is answered with a failure has changed nothing.
    ///
    /// - Throws: `WriteGroup.Refusal` for requests that must be undone, and whatever the database throws.
    func perform(_ batches: [LogBatch], _ transaction: Transaction) throws -> [Result<Void, any Error>] {
        let runs = try Self.lockedRuns(of: batches, transaction)
        let models = try Self.loggedModels(of: batches, transaction)
        var failures: [Int: any Error] = [:]
        var members: [Member] = []
        for (place, batch) in batches.enumerated() {
            if let run = runs[ExactText(batch.runID)] {
                if run.stage != .active {
                    failures[place] = TrackingError.runNotActive(id: batch.runID)
                } else if let model = batch.modelIDs.first(where: { models[ExactText($0)] == nil }) {
                    failures[place] = TrackingError.loggedModelNotFound(id: model)
                } else {
                    members.append(Member(place: place, batch: batch, run: run))
                }
            } else {
                failures[place] = TrackingError.runNotFound(id: batch.runID)
            }
        }
        let changed = try ParamLog.log(members, transaction)
        failures.merge(changed) { first, _ in first }
        members.removeAll { changed[$0.place] != nil }
        try logMetrics(members, transaction)
        try Self.logModelMetrics(members, models, transaction)
        try Self.setTags(members, transaction)
        transaction.onCommit { [changes, logged = members.map(\.batch.runID)] in
            for run in logged { changes.note("run.logged run/\(run)") }
        }
        return batches.indices.map { place in failures[place].map { .failure($0) } ?? .success(()) }
    }

    /// The runs that are logged to, held against other writers until the transaction ends.
    private static func lockedRuns(
        of batches: [LogBatch],
        _ transaction: Transaction
    ) throws -> [ExactText: TrackingStore.RunRow] {
        let ids = Array(Set(batches.map { ExactText($0.runID) })).map(\.text)
        try transaction.lock(ids.map { "run/\($0)" })
        var runs: [ExactText: TrackingStore.RunRow] = [:]
        try transaction.forEach(
            "SELECT run_uuid, run_id, experiment_id, lifecycle_stage FROM runs WHERE run_uuid IN (?*)",
            [.texts(ids)]
        ) { runs[ExactText($0.text(0))] = TrackingStore.RunRow($0, from: 1) }
        return runs
    }

    /// The keys of the logged models that points name.
    private static func loggedModels(
        of batches: [LogBatch],
        _ transaction: Transaction
    ) throws -> [ExactText: Int64] {
        let ids = Set(batches.flatMap(\.modelIDs).map(ExactText.init)).map(\.text)
        guard !ids.isEmpty else { return [:] }
        var keys: [ExactText: Int64] = [:]
        try transaction.forEach(
            "SELECT model_id, logged_model_id FROM logged_models WHERE model_id IN (?*)",
            [.texts(ids)]
        ) { keys[ExactText($0.text(0))] = $0.integer(1) }
        return keys
    }

    /// Adds each run's points to its tail, and keeps the latest of each metric.
    private func logMetrics(_ members: [Member], _ transaction: Transaction) throws {
        let members = members.filter { !$0.batch.metrics.isEmpty }
        guard !members.isEmpty else { return }
        let keys = try metricKeys.resolve(members.flatMap { $0.batch.metrics.map(\.key) }, in: transaction)
        var tails: [Int64: [UInt8]] = [:]
        var latest: [LatestMetric.Key: LatestMetric] = [:]
        var place = 0
        for member in members {
            let points = member.batch.metrics
            let own = keys[place..<(place + points.count)]
            place += points.count
            tails[member.run.key, default: []] += MetricPack.tail(points, keys: own)
            for (key, point) in zip(own, points) {
                let name = LatestMetric.Key(run: member.run.key, metric: key)
                if let best = latest[name], !point.isLater(than: best.point) { continue }
                latest[name] = LatestMetric(experimentID: member.run.experimentID, point: point)
            }
        }
        let grown = tails.sorted { $0.key < $1.key }
        try transaction.insert(
            BulkInsert(
                into: "metric_tail",
                [("run_id", .integers(grown.map(\.key))), ("points", .blobs(grown.map(\.value)))],
                conflict: ""
            )
        )
        transaction.onCommit { [compactor] in
            for (run, points) in grown { compactor.noteTail(run: run, bytes: points.count) }
        }
        try transaction.insert(LatestMetric.rows(latest))
    }

    /// Copies points that name a logged model to that model.
    private static func logModelMetrics(
        _ members: [Member],
        _ models: [ExactText: Int64],
        _ transaction: Transaction
    ) throws {
        for member in members {
            for point in member.batch.metrics {
                guard let model = point.model, let key = models[ExactText(model.modelID)] else { continue }
                try transaction.execute(
                    """
                    INSERT INTO logged_model_metrics (
                        logged_model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, is_nan, run_id,
                        dataset_name, dataset_digest
                    )
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (
                        logged_model_id, metric_name, dataset_name, dataset_digest, metric_step, metric_timestamp_ms,
                        run_id
                    )
                    DO UPDATE SET metric_value = excluded.metric_value, is_nan = excluded.is_nan
                    WHERE excluded.metric_value > logged_model_metrics.metric_value
                    """,
                    [
                        .integer(key), .text(point.key), .integer(point.timestamp), .integer(point.step),
                        .real(point.value), .integer(point.isNaN ? 1 : 0), .text(member.batch.runID),
                        .text(model.datasetName ?? ""), .text(model.datasetDigest ?? ""),
                    ]
                )
            }
        }
    }

    /// Sets tags; the last value of each counts, also across requests.
    private static func setTags(_ members: [Member], _ transaction: Transaction) throws {
        var tags: [Int64: [KeyValue]] = [:]
        for member in members where !member.batch.tags.isEmpty {
            tags[member.run.key, default: []] += member.batch.tags
        }
        for (run, all) in tags.sorted(by: { $0.key < $1.key }) {
            let last = all.lastOfEachKey().sorted { $0.key < $1.key }
            try TrackingStore.setTags(last, on: run, transaction)
            if let name = last.first(where: { $0.key == runNameTag })?.value {
                try TrackingStore.rename(run, to: name, transaction)
            }
        }
    }
}

extension LogBatch {
    /// The logged models that its points name.
    fileprivate var modelIDs: [String] { metrics.compactMap { $0.model?.modelID } }
}
