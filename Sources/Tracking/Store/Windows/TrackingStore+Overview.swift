import ApusDatabase
import ApusKernel

/// What the first page shows.
struct TrackingOverview: Sendable {
    /// Runs that go on, the newest first.
    var running: [Run.Info] = []
    /// Runs that failed or were killed lately, the newest first.
    var failed: [Run.Info] = []
    /// The newest runs.
    var newest: [Run.Info] = []
    /// Names of the experiments of all these runs.
    var experiments: [Int64: String] = [:]

    var isEmpty: Bool { newest.isEmpty }
}

extension TrackingStore {
    /// How far back the first page looks.
    private static let recentRuns: Int64 = 5_000
    /// How far back a search for the names of runs looks: a name has no index, and each is compared.
    private static let namedRuns: Int64 = 100_000

    /// What is running, what failed since `since` (milliseconds since the Unix epoch), and what is new, among the newest
    /// ``recentRuns``.
    func overview(failedSince since: Int64, limit: Int64 = 12) async throws -> TrackingOverview {
        try await database.read { transaction in
            func infos(_ clause: String, _ values: [SQLValue] = []) throws -> [Run.Info] {
                try Self.infos(where: "\(clause) LIMIT ?", values + [.integer(limit)], transaction).map(\.info)
            }
            var overview = TrackingOverview()
            let newest = try transaction.first("SELECT COALESCE(MAX(run_id), 0) FROM runs") { $0.integer(0) } ?? 0
            let recent: SQLValue = .integer(newest - Self.recentRuns)
            overview.running = try infos(
                "r.run_id > ? AND r.status = 'RUNNING' AND r.lifecycle_stage = 'active' ORDER BY r.run_id DESC",
                [recent]
            )
            overview.failed = try infos(
                """
                r.run_id > ? AND r.status = 'FAILED' AND r.lifecycle_stage = 'active' AND r.start_time >= ?
                ORDER BY r.run_id DESC
                """,
                [recent, .integer(since)]
            )
            overview.newest = try infos("r.lifecycle_stage = 'active' ORDER BY r.run_id DESC")
            let ids = Set((overview.running + overview.failed + overview.newest).map(\.experimentID))
            try transaction.forEach(
                "SELECT experiment_id, name FROM experiments WHERE experiment_id IN (?*)",
                [.integers(ids.sorted())]
            ) { overview.experiments[$0.integer(0)] = $0.text(1) }
            return overview
        }
    }

    /// How many active runs each experiment has.
    func runCounts(experiments ids: [Int64]) async throws -> [Int64: Int64] {
        try await database.read { transaction in
            var counts: [Int64: Int64] = [:]
            try transaction.forEach(
                """
                SELECT experiment_id, COUNT(*)
                FROM runs
                WHERE experiment_id IN (?*) AND lifecycle_stage = 'active'
                GROUP BY experiment_id
                """,
                [.integers(ids)]
            ) { counts[$0.integer(0)] = $0.integer(1) }
            return counts
        }
    }

    /// Names and identifiers that hold a text, for jumping to them: experiments and runs, the newest first.
    func find(_ text: String, limit: Int64) async throws -> (experiments: [(id: Int64, name: String)], runs: [Run.Info])
    {
        let (experimentName, runName) = (SQLCondition.contains("name", text), SQLCondition.contains("r.name", text))
        return try await database.read { transaction in
            let experiments = try transaction.query(
                """
                SELECT experiment_id, name
                FROM experiments
                WHERE lifecycle_stage = 'active' AND \(experimentName.text)
                ORDER BY last_update_time DESC
                LIMIT ?
                """,
                experimentName.values + [.integer(limit)]
            ) { (id: $0.integer(0), name: $0.text(1)) }
            let newest = try transaction.first("SELECT COALESCE(MAX(run_id), 0) FROM runs") { $0.integer(0) } ?? 0
            let exact = try Self.infos(where: "r.run_uuid = ?", [.text(text)], transaction)
            let named = try Self.infos(
                where: """
                    r.run_id > ? AND r.lifecycle_stage = 'active' AND \(runName.text)
                    ORDER BY r.run_id DESC
                    LIMIT ?
                    """,
                [.integer(newest - Self.namedRuns)] + runName.values + [.integer(limit)],
                transaction
            )
            return (experiments, (exact + named).map(\.info))
        }
    }
}
