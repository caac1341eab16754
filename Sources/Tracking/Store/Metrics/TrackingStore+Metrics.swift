import ApusDatabase
import ApusKernel

extension TrackingStore {
    /// Returns one piece of a metric's history, oldest point first.
    ///
    /// Points are ordered by timestamp, then step, then value. Different values logged at one step are all kept; an
    /// identical point is stored once.
    ///
    /// `position` is the last point of the piece before, or nil for the first piece; `limit`, at least 1, is the most
    /// points in the piece.
    ///
    /// - Returns: No points when nothing was logged under exactly this key, or there is no such run.
    /// - SeeAlso: `GetMetricHistory` in MLflow's `service.proto`.
    package func history(
        run id: String,
        key: String,
        after position: HistoryPosition? = nil,
        limit: Int64
    ) async throws -> [MetricPoint] {
        try await database.read { transaction in
            let run = try transaction.first("SELECT run_id FROM runs WHERE run_uuid = ?", [.text(id)]) { $0.integer(0) }
            // MLflow asks for points only, never for their run.
            guard let run, let keyID = try Self.keyID(key, transaction) else { return [] }
            let reader = HistoryReader(run: run, key: keyID, transaction: transaction)
            let points = try reader.points(after: position?.point, limit: Int(clamping: limit))
            return points.map { MetricPoint(key: key, $0) }
        }
    }

    /// Histories of one metric in several runs, ordered by run, timestamp, step and value, and cut at `limit` points.
    package func histories(runs ids: [String], key: String, limit: Int64) async throws -> [(run: String, MetricPoint)] {
        try await database.read { transaction in
            guard let keyID = try Self.keyID(key, transaction) else { return [] }
            var found: [(run: String, MetricPoint)] = []
            for (run, id) in try Self.rows(of: ids, transaction).sorted(by: { $0.id < $1.id }) {
                let rest = Int(clamping: limit) - found.count
                guard rest > 0 else { break }
                let points = try HistoryReader(run: run, key: keyID, transaction: transaction)
                    .points(after: nil, limit: rest)
                found += points.map { (id, MetricPoint(key: key, $0)) }
            }
            return found
        }
    }

    /// A sample of each run's history for a chart, in the order of `ids`.
    ///
    /// A history is divided into `limit` groups of equal size; the first point of each is taken, and the very last
    /// point of all, which takes the place of the last group's when the sample is full.
    ///
    /// Points whose step is outside of `steps` are left out before that; nil leaves out none.
    ///
    /// - Returns: The points of each run by step, timestamp and value, each with the run's identifier; none of a run
    ///   that there is not.
    package func sampledHistories(
        runs ids: [String],
        key: String,
        steps: ClosedRange<Int64>?,
        limit: Int64
    ) async throws -> [(run: String, MetricPoint)] {
        try await database.read { transaction in
            let rows = Dictionary(
                try Self.rows(of: ids, transaction).map { ($0.id, $0.run) },
                uniquingKeysWith: { first, _ in first }
            )
            guard let keyID = try Self.keyID(key, transaction) else { return [] }
            return try ids.flatMap { id in
                guard let run = rows[id] else { return [(run: String, MetricPoint)]() }
                var points = try HistoryReader(run: run, key: keyID, transaction: transaction)
                    .points(after: nil, limit: .max)
                if let steps { points.removeAll { !steps.contains($0.step) } }
                points.sort(by: MetricPack.Point.isBefore)
                return Self.sample(points, limit: Int(clamping: limit)).map { (id, MetricPoint(key: key, $0)) }
            }
        }
    }

    /// The first of each of `limit` groups whose sizes differ by one at most, larger ones first, as `NTILE` makes them.
    static func sample(_ points: [MetricPack.Point], limit: Int) -> [MetricPack.Point] {
        guard points.count > limit, limit > 0, let last = points.last else { return points }
        let size = points.count / limit
        let larger = points.count % limit
        var sampled = (0..<limit).map { points[$0 * size + min($0, larger)] }
        sampled[limit - 1] = last
        return sampled
    }

    static func keyID(_ key: String, _ transaction: Transaction) throws -> Int64? {
        try transaction.first("SELECT key_id FROM metric_keys WHERE key = ?", [.text(key)]) { $0.integer(0) }
    }

    static func rows(of ids: [String], _ transaction: Transaction) throws -> [(run: Int64, id: String)] {
        try transaction.query("SELECT run_id, run_uuid FROM runs WHERE run_uuid IN (?*)", [.texts(ids)]) {
            ($0.integer(0), $0.text(1))
        }
    }
}

extension MetricPoint {
    init(key: String, _ point: MetricPack.Point) {
        self.init(
            key: key,
            stored: point.value,
            isNaN: point.isNaN,
            timestamp: point.timestamp,
            step: point.step
        )
    }
}
