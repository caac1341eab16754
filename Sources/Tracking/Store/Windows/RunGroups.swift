import ApusDatabase
import ApusKernel
import ApusQuery

/// The runs of a search by the value of one field.
struct RunGroups: Sendable {
    struct Group: Sendable {
        /// Nil for the runs without a value.
        let value: String?
        let runs: Int64
        /// By the metric's key; runs without a number do not count.
        var metrics: [String: Spread] = [:]
    }

    /// The numbers of a metric in one group.
    struct Spread: Sendable {
        let least: Double
        let mean: Double
        let greatest: Double
    }

    /// The largest first.
    var groups: [Group] = []
    /// Whether there are more groups than these.
    var isCut = false
}

extension TrackingStore {
    /// Groups all runs that a search finds, whatever its page, in two statements that each look at every one of them.
    ///
    /// At most `limit` groups come back, the largest. The order of the search does not matter.
    func groups(
        _ search: RunSearch,
        by field: RunField,
        metrics: [String],
        limit: Int64
    ) async throws -> RunGroups {
        let planner = RunSearchPlanner(
            experiments: try search.experimentIDs.map(Experiment.parseID),
            stages: search.view.stages,
            filter: try SearchSchema.runs.parse(filter: search.filter),
            order: []
        )
        return try await database.read { transaction in
            guard let phase = try planner.phases(transaction).first else { return RunGroups() }
            let (value, join, joined) = field.sql
            let found = """
                (SELECT r.run_id AS run_id, \(value) AS value FROM \(phase.from)\(join) WHERE \(phase.condition.text)) f
                """
            let values = phase.fromValues + joined + phase.condition.values
            var result = RunGroups()
            result.groups = try transaction.query(
                "SELECT f.value, COUNT(*) FROM \(found) GROUP BY f.value ORDER BY COUNT(*) DESC, f.value LIMIT ?",
                values + [.integer(limit + 1)]
            ) { RunGroups.Group(value: $0.optionalText(0), runs: $0.integer(1)) }
            if Int64(result.groups.count) > limit {
                result.isCut = true
                result.groups.removeLast()
            }
            try Self.addMetrics(metrics, to: &result.groups, found, values, transaction)
            return result
        }
    }

    private static func addMetrics(
        _ metrics: [String],
        to groups: inout [RunGroups.Group],
        _ found: String,
        _ values: [SQLValue],
        _ transaction: Transaction
    ) throws {
        var keys: [Int64: String] = [:]
        try transaction.forEach("SELECT key_id, key FROM metric_keys WHERE key IN (?*)", [.texts(metrics)]) {
            keys[$0.integer(0)] = $0.text(1)
        }
        guard !keys.isEmpty, !groups.isEmpty else { return }
        let places = Dictionary(groups.enumerated().map { ($1.value, $0) }, uniquingKeysWith: { first, _ in first })
        // PostgreSQL refuses a sum that is too large, so the parts are made smaller by a power of two, which is exact.
        let scale = 1_048_576.0
        try transaction.forEach(
            """
            SELECT f.value, m.key_id, MIN(m.value), SUM(m.value / 1048576.0), MAX(m.value), COUNT(*)
            FROM \(found)
            JOIN latest_metrics m ON m.run_id = f.run_id
            WHERE m.key_id IN (?*) AND m.is_nan = 0 AND (f.value IS NULL OR f.value IN (?*))
            GROUP BY f.value, m.key_id
            """,
            values + [.integers(keys.keys.sorted()), .texts(groups.compactMap(\.value))]
        ) { row in
            guard let place = places[row.optionalText(0)], let key = keys[row.integer(1)] else { return }
            groups[place].metrics[key] = RunGroups.Spread(
                least: row.real(2),
                mean: row.real(3) / Double(max(1, row.integer(5))) * scale,
                greatest: row.real(4)
            )
        }
    }
}
