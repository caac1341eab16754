import ApusDatabase
import ApusKernel

extension TrackingStore {
    /// The columns that the newest runs of an experiment have, each kind in the order of its keys.
    func columns(ofExperiment id: Int64, newest: Int64 = 200, limit: Int64 = 2_000) async throws -> [WindowColumn] {
        try await database.read { transaction in
            let runs = try Self.newestRuns(ofExperiment: id, newest, transaction)
            guard !runs.isEmpty else { return [] }
            func keys(_ kind: WindowColumn.Kind, _ sql: String) throws -> [WindowColumn] {
                try transaction.query("\(sql) LIMIT ?", [.integers(runs), .integer(limit)]) {
                    WindowColumn(kind, $0.text(0))
                }
            }
            return try keys(
                .metric,
                """
                SELECT k.key FROM metric_keys k
                WHERE k.key_id IN (SELECT m.key_id FROM latest_metrics m WHERE m.run_id IN (?*))
                ORDER BY k.key
                """
            ) + keys(.param, "SELECT DISTINCT key FROM params WHERE run_id IN (?*) ORDER BY key")
                + keys(
                    .tag,
                    "SELECT DISTINCT key FROM tags WHERE run_id IN (?*) AND key NOT LIKE 'mlflow.%' ORDER BY key"
                )
        }
    }

    /// The values of a field that the newest runs of an experiment have, the most frequent first.
    func values(
        of field: RunField,
        inExperiment id: Int64,
        newest: Int64 = 1_000,
        limit: Int64 = 50
    ) async throws -> [String] {
        try await database.read { transaction in
            let runs = try Self.newestRuns(ofExperiment: id, newest, transaction)
            guard !runs.isEmpty else { return [] }
            let (value, join, values) = field.sql
            return try transaction.query(
                """
                SELECT \(value), COUNT(*)
                FROM runs r\(join)
                WHERE r.run_id IN (?*) AND \(value) IS NOT NULL
                GROUP BY \(value)
                ORDER BY COUNT(*) DESC, \(value)
                LIMIT ?
                """,
                values + [.integers(runs), .integer(limit)]
            ) { $0.text(0) }
        }
    }

    private static func newestRuns(
        ofExperiment id: Int64,
        _ count: Int64,
        _ transaction: Transaction
    ) throws -> [Int64] {
        try transaction.query(
            """
            SELECT run_id FROM runs
            WHERE experiment_id = ? AND lifecycle_stage = 'active'
            ORDER BY start_time DESC, run_uuid
            LIMIT ?
            """,
            [.integer(id), .integer(count)]
        ) { $0.integer(0) }
    }
}
