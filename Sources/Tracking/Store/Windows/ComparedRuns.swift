import ApusDatabase
import ApusKernel

/// Keys of one kind that some runs have.
struct ComparedKeys: Sendable {
    var keys: [String] = []
    /// Whether there are more than these.
    var hasMore = false
}

extension TrackingStore {
    /// The keys that any of the runs has, of params and tags those first in which the runs differ.
    ///
    /// A run without the key differs from one that has it. Metrics come in the order of their keys: nearly all differ,
    /// and looking at the values of thousands of keys in hundreds of runs takes its time. MLflow's own tags are left
    /// out.
    ///
    /// `text` is what a key must hold, in whatever case, empty for all keys; `isDiffering` leaves out params and tags
    /// that are the same in all runs; `limit` is at least 1.
    func comparedKeys(
        _ kind: WindowColumn.Kind,
        ofRuns ids: [String],
        holding text: String = "",
        isDiffering: Bool = false,
        limit: Int
    ) async throws -> ComparedKeys {
        let wanted = text.lowercased()
        // What is a wildcard in a pattern stands for any character; the text itself is looked for below.
        let pattern = "%\(String(wanted.map { $0 == "%" || $0 == "\\" ? "_" : $0 }))%"
        let found = try await database.read { transaction in
            let runs = try Self.rows(of: ids, transaction).map(\.run)
            guard !runs.isEmpty else { return [String]() }
            let values: [SQLValue] = [.integers(runs)] + (wanted.isEmpty ? [] : [.text(pattern)])
            if kind == .metric {
                return try transaction.query(
                    """
                    SELECT k.key FROM metric_keys k
                    WHERE k.key_id IN (SELECT m.key_id FROM latest_metrics m WHERE m.run_id IN (?*))
                        \(wanted.isEmpty ? "" : "AND LOWER(k.key) LIKE ?")
                    ORDER BY k.key
                    LIMIT ?
                    """,
                    values + [.integer(Int64(limit) + 1)]
                ) { $0.text(0) }
            }
            let differing = "COUNT(*) < \(runs.count) OR MIN(value) <> MAX(value)"
            return try transaction.query(
                """
                SELECT key, CASE WHEN \(differing) THEN 0 ELSE 1 END AS is_same
                FROM \(kind == .param ? "params" : "tags")
                WHERE run_id IN (?*)
                    \(kind == .tag ? "AND key NOT LIKE 'mlflow.%'" : "")
                    \(wanted.isEmpty ? "" : "AND LOWER(key) LIKE ?")
                GROUP BY key
                \(isDiffering ? "HAVING \(differing)" : "")
                ORDER BY is_same, key
                LIMIT ?
                """,
                values + [.integer(Int64(limit) + 1)]
            ) { $0.text(0) }
        }
        let keys = wanted.isEmpty ? found : found.filter { $0.lowercased().contains(wanted) }
        return ComparedKeys(keys: Array(keys.prefix(limit)), hasMore: found.count > limit)
    }

    /// Runs in the order of their identifiers, with the values of `columns`; those that there are not are left out.
    ///
    /// Costs as much as its cells, however many keys the runs have.
    func rows(ofRuns ids: [String], columns: [WindowColumn]) async throws -> [RunWindow.Row] {
        let places = Dictionary(ids.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        return try await database.read { transaction in
            let found = try Self.infos(where: "r.run_uuid IN (?*)", [.texts(ids)], transaction)
                .sorted { places[$0.info.id.rawValue, default: 0] < places[$1.info.id.rawValue, default: 0] }
            var rows = found.map { RunWindow.Row(info: $0.info) }
            try Self.fill(&rows, found.map(\.key), columns, transaction)
            return rows
        }
    }
}
