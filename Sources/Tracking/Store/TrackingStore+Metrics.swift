import ApusDatabase
import ApusKernel

extension TrackingStore {
    /// Returns one piece of a metric's history, oldest point first.
    ///
    /// Points are ordered by timestamp, then step, then value. Different values logged at one step are all kept; an
    /// identical point is stored once.
    ///
    /// - Parameters:
    ///   - key: Exact metric key, as logged.
    ///   - position: The last point of the piece before; nil for the first piece.
    ///   - limit: Points in the piece, at least 1.
    /// - Throws: `TrackingError.runNotFound`.
    /// - SeeAlso: `GetMetricHistory` in MLflow's `service.proto`.
    package func history(
        run id: String,
        key: String,
        after position: HistoryPosition? = nil,
        limit: Int64
    ) async throws -> [MetricPoint] {
        let after = position ?? .beforeFirst
        return try await database.read { transaction in
            let run = try transaction.first("SELECT run_id FROM runs WHERE run_uuid = ?", [.text(id)]) { $0.integer(0) }
            guard let run else { throw TrackingError.runNotFound(id: id) }
            let keyID = try transaction.first("SELECT key_id FROM metric_keys WHERE key = ?", [.text(key)]) {
                $0.integer(0)
            }
            guard let keyID else { return [] }
            return try transaction.query(
                """
                SELECT timestamp, step, value, is_nan
                FROM metrics
                WHERE run_id = ? AND key_id = ? AND (timestamp, step, value, is_nan) > (?, ?, ?, ?)
                ORDER BY timestamp, step, value, is_nan
                LIMIT ?
                """,
                [
                    .integer(run), .integer(keyID), .integer(after.timestamp), .integer(after.step),
                    .real(after.value), .integer(after.isNaN ? 1 : 0), .integer(limit),
                ]
            ) { Self.point(key, $0, from: 0) }
        }
    }

    /// Histories of one metric in several runs, ordered by run, timestamp, step and value, and cut at `limit` points.
    package func histories(runs ids: [String], key: String, limit: Int64) async throws -> [(run: String, MetricPoint)] {
        try await database.read { transaction in
            try transaction.query(
                """
                SELECT r.run_uuid, m.timestamp, m.step, m.value, m.is_nan
                FROM runs r
                JOIN metrics m ON m.run_id = r.run_id
                WHERE r.run_uuid IN (?*) AND m.key_id = (SELECT key_id FROM metric_keys WHERE key = ?)
                ORDER BY r.run_uuid, m.timestamp, m.step, m.value
                LIMIT ?
                """,
                [.texts(ids), .text(key), .integer(limit)]
            ) { ($0.text(0), Self.point(key, $0, from: 1)) }
        }
    }

    /// A sample of each run's history for a chart, in the order of `ids`.
    ///
    /// A history is divided into `limit` groups of equal size; the first point of each is taken, and the very last
    /// point of all, which takes the place of the last group's when the sample is full.
    ///
    /// - Parameter steps: Only points within; nil for all.
    /// - Throws: `TrackingError.runNotFound` for any of the runs.
    package func sampledHistories(
        runs ids: [String],
        key: String,
        steps: ClosedRange<Int64>?,
        limit: Int64
    ) async throws -> [(run: String, MetricPoint)] {
        var samples: [String: [MetricPoint]] = [:]
        let sampled = try await database.read { transaction in
            let known = Set(
                try transaction.query("SELECT run_uuid FROM runs WHERE run_uuid IN (?*)", [.texts(ids)]) { $0.text(0) }
            )
            if let unknown = ids.first(where: { !known.contains($0) }) { throw TrackingError.runNotFound(id: unknown) }
            return try transaction.query(
                """
                WITH points AS (
                    SELECT r.run_uuid AS run_uuid, m.timestamp AS timestamp, m.step AS step, m.value AS value,
                        m.is_nan AS is_nan,
                        NTILE(\(limit)) OVER whole AS bucket,
                        ROW_NUMBER() OVER whole AS place,
                        COUNT(*) OVER (PARTITION BY r.run_uuid) AS total
                    FROM runs r
                    JOIN metrics m ON m.run_id = r.run_id
                    WHERE r.run_uuid IN (?*) AND m.key_id = (SELECT key_id FROM metric_keys WHERE key = ?)
                        AND m.step BETWEEN ? AND ?
                    WINDOW whole AS (PARTITION BY r.run_uuid ORDER BY m.step, m.timestamp, m.value, m.is_nan)
                ),
                numbered AS (
                    SELECT run_uuid, timestamp, step, value, is_nan, place, total,
                        ROW_NUMBER() OVER (PARTITION BY run_uuid, bucket ORDER BY place) AS in_bucket
                    FROM points
                )
                SELECT run_uuid, timestamp, step, value, is_nan
                FROM numbered
                WHERE in_bucket = 1 OR place = total
                ORDER BY run_uuid, place
                """,
                [.texts(ids), .text(key), .integer(steps?.lowerBound ?? .min), .integer(steps?.upperBound ?? .max)]
            ) { ($0.text(0), Self.point(key, $0, from: 1)) }
        }
        for (run, point) in sampled { samples[run, default: []].append(point) }
        return ids.flatMap { id in
            var points = samples[id] ?? []
            if points.count > limit { points.remove(at: points.count - 2) }
            return points.map { (id, $0) }
        }
    }

    /// A point from the columns timestamp, step, value and is_nan.
    private static func point(_ key: String, _ row: Row, from column: Int32) -> MetricPoint {
        MetricPoint(
            key: key,
            stored: row.real(column + 2),
            isNaN: row.integer(column + 3) != 0,
            timestamp: row.integer(column),
            step: row.integer(column + 1)
        )
    }
}
