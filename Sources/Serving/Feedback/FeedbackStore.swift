package import ApusDatabase
package import ApusKernel

/// What became of predictions: ground truth, rewards and other measures, joined to their names.
package struct FeedbackStore: Sendable {
    /// The most that one request may bring.
    package static let batchLimit = 10_000

    package static let migrations: [Migration] = [
        Migration(
            "serving-1002-feedback",
            [
                // The time and the deployment are part of the prediction's name; they stand here for the indexes.
                """
                CREATE TABLE serving_feedback (
                    endpoint TEXT NOT NULL,
                    prediction_id TEXT NOT NULL,
                    metric TEXT NOT NULL,
                    deployment INTEGER NOT NULL,
                    prediction_ms INTEGER NOT NULL,
                    observed_ms INTEGER NOT NULL,
                    received_ms INTEGER NOT NULL,
                    value REAL,
                    text TEXT,
                    PRIMARY KEY (endpoint, prediction_id, metric)
                ) STRICT, WITHOUT ROWID
                """,
                """
                CREATE INDEX serving_feedback_by_metric
                ON serving_feedback (endpoint, metric, prediction_ms, deployment, value)
                """,
            ]
        )
    ]

    private let database: Database
    private let clock: any WallClock
    private let sink: (any RewardSink)?

    /// Keeps feedback in a database; `sink` is told of each new reward.
    package init(database: Database, clock: any WallClock = SystemWallClock(), sink: (any RewardSink)? = nil) {
        self.database = database
        self.clock = clock
        self.sink = sink
    }

    /// What storing feedback came to.
    package struct Outcome: Sendable, Equatable {
        /// Measures of predictions that had none before.
        package var added = 0
        /// Those that took the place of an earlier one.
        package var replaced = 0
        /// Those that were known already, or older than what is known.
        package var unchanged = 0
    }

    /// Stores feedback, all of it or none; it is durable when this returns.
    ///
    /// The same again changes nothing. Of two for one measure of a prediction the one that was seen later holds, in
    /// whatever order they come.
    @discardableResult
    package func add(_ feedback: [Feedback], endpoint: String) async throws -> Outcome {
        guard feedback.count <= Self.batchLimit else {
            throw ServingError.invalid("More than \(Self.batchLimit) measures of predictions in one request.")
        }
        let latest = Self.latest(feedback)
        guard !latest.isEmpty else { return Outcome(unchanged: feedback.count) }
        let now = clock.milliseconds
        let (outcome, rewards) = try await database.write(subject: "feedback/\(endpoint)") { transaction in
            try transaction.lock("feedback/\(endpoint)")
            let known = try Self.known(latest.map(\.prediction.text), endpoint, transaction)
            var outcome = Outcome(unchanged: feedback.count - latest.count)
            var changed: [Feedback] = []
            var rewards: [Feedback] = []
            for entry in latest {
                if let before = known[Key(entry)] {
                    let isSame = before.value == entry.value && before.text == entry.text
                    guard entry.observed >= before.observed, !isSame else {
                        outcome.unchanged += 1
                        continue
                    }
                    outcome.replaced += 1
                } else {
                    outcome.added += 1
                    if entry.metric == Feedback.reward { rewards.append(entry) }
                }
                changed.append(entry)
            }
            try Self.upsert(changed.filter { $0.value != nil }, endpoint, now, transaction)
            try Self.upsert(changed.filter { $0.value == nil }, endpoint, now, transaction)
            return (outcome, rewards)
        }
        // Told after the commit: a reward that the database lost must not count either.
        if let sink {
            for reward in rewards {
                if let value = reward.value { sink.reward(value, for: reward.prediction, endpoint: endpoint) }
            }
        }
        return outcome
    }

    /// Forgets the feedback of an endpoint that is gone, with its deletion.
    package static func remove(_ endpoint: String, in transaction: Transaction) throws {
        try transaction.execute("DELETE FROM serving_feedback WHERE endpoint = ?", [.text(endpoint)])
    }

    // MARK: Writing

    private struct Key: Hashable {
        let prediction: String
        let metric: ExactText

        init(prediction: String, metric: String) {
            self.prediction = prediction
            self.metric = ExactText(metric)
        }

        init(_ feedback: Feedback) { self.init(prediction: feedback.prediction.text, metric: feedback.metric) }
    }

    private struct Known {
        let value: Double?
        let text: String?
        let observed: Int64
    }

    /// One for each measure of a prediction, in the order of their first coming: rows of one statement must not conflict.
    private static func latest(_ feedback: [Feedback]) -> [Feedback] {
        var places: [Key: Int] = [:]
        var latest: [Feedback] = []
        for entry in feedback {
            if let place = places[Key(entry)] {
                if entry.observed >= latest[place].observed { latest[place] = entry }
            } else {
                places[Key(entry)] = latest.count
                latest.append(entry)
            }
        }
        return latest
    }

    private static func known(_ ids: [String], _ endpoint: String, _ transaction: Transaction) throws -> [Key: Known] {
        var known: [Key: Known] = [:]
        try transaction.forEach(
            """
            SELECT prediction_id, metric, value, text, observed_ms FROM serving_feedback
            WHERE endpoint = ? AND prediction_id IN (?*)
            """,
            [.text(endpoint), .texts(Array(Set(ids)))]
        ) { row in
            known[Key(prediction: row.text(0), metric: row.text(1))] = Known(
                value: row.isNull(2) ? nil : row.real(2),
                text: row.optionalText(3),
                observed: row.integer(4)
            )
        }
        return known
    }

    /// All of `feedback` have a value, or none of them: columns of many rows hold no NULL.
    private static func upsert(_ feedback: [Feedback], _ endpoint: String, _ now: Int64, _ transaction: Transaction)
        throws
    {
        guard let first = feedback.first else { return }
        let content: (String, BulkInsert.Values) =
            first.value != nil
            ? ("value", .reals(feedback.map { $0.value ?? 0 })) : ("text", .texts(feedback.map { $0.text ?? "" }))
        let other = first.value != nil ? "text" : "value"
        try transaction.insert(
            BulkInsert(
                into: "serving_feedback",
                [
                    ("endpoint", .texts(feedback.map { _ in endpoint })),
                    ("prediction_id", .texts(feedback.map(\.prediction.text))),
                    ("metric", .texts(feedback.map(\.metric))),
                    ("deployment", .integers(feedback.map { Int64($0.prediction.deployment) })),
                    ("prediction_ms", .integers(feedback.map(\.prediction.milliseconds))),
                    ("observed_ms", .integers(feedback.map(\.observed))),
                    ("received_ms", .integers(feedback.map { _ in now })),
                    content,
                ],
                conflict: """
                    ON CONFLICT (endpoint, prediction_id, metric) DO UPDATE SET
                        observed_ms = excluded.observed_ms,
                        received_ms = excluded.received_ms,
                        \(content.0) = excluded.\(content.0),
                        \(other) = NULL
                    """
            )
        )
    }
}

// MARK: - Reading

extension FeedbackStore: RewardQuery {
    package func rewards(
        endpoint: String,
        metric: String = Feedback.reward,
        since: Int64,
        until: Int64? = nil
    ) async throws -> [UInt16: RewardSummary] {
        let range: [SQLValue] = [
            .text(endpoint), .text(metric), .integer(since), .integer(until ?? .max),
        ]
        // Twice over the same rows: the sum of squares less the square of the sum loses all digits of a small spread.
        let found = try await database.read { transaction in
            try transaction.query(
                """
                SELECT f.deployment, COUNT(*), MAX(m.mean), SUM((f.value - m.mean) * (f.value - m.mean)),
                    SUM(CASE WHEN f.value > 0 THEN 1 ELSE 0 END)
                FROM serving_feedback f
                JOIN (
                    SELECT deployment, AVG(value) AS mean FROM serving_feedback
                    WHERE endpoint = ? AND metric = ? AND prediction_ms >= ? AND prediction_ms < ? AND value IS NOT NULL
                    GROUP BY deployment
                ) m ON m.deployment = f.deployment
                WHERE f.endpoint = ? AND f.metric = ? AND f.prediction_ms >= ? AND f.prediction_ms < ?
                    AND f.value IS NOT NULL
                GROUP BY f.deployment
                """,
                range + range
            ) { row in
                let count = row.integer(1)
                return (
                    UInt16(truncatingIfNeeded: row.integer(0)),
                    RewardSummary(
                        count: count,
                        mean: row.real(2),
                        variance: count < 2 ? 0 : max(0, row.real(3) / Double(count - 1)),
                        positive: row.integer(4)
                    )
                )
            }
        }
        return found.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }

    /// All that is known of one prediction, by measure.
    package func feedback(on prediction: PredictionID, endpoint: String) async throws -> [StoredFeedback] {
        try await list("AND prediction_id = ? ORDER BY metric", [.text(prediction.text)], endpoint)
    }

    /// One measure of many predictions, by their time; the latest first.
    ///
    /// `before` is the name of the prediction that the page before ended with.
    package func feedback(
        endpoint: String,
        metric: String,
        from: Int64 = 0,
        to: Int64 = .max,
        before: PredictionID? = nil,
        limit: Int
    ) async throws -> [StoredFeedback] {
        // Names sort by their time, so the second condition needs no look at those that are later.
        let bound = before.map { min(to, $0.milliseconds &+ 1) } ?? to
        return try await list(
            """
            AND metric = ? AND prediction_ms >= ? AND prediction_ms < ? AND prediction_id < ?
            ORDER BY prediction_ms DESC, prediction_id DESC LIMIT ?
            """,
            [
                .text(metric), .integer(from), .integer(bound), .text(before?.text ?? "g"),
                .integer(Int64(min(max(1, limit), 10_000))),
            ],
            endpoint
        )
    }

    /// The measures that an endpoint's predictions got, and how many numbers and texts of each.
    package func metrics(of endpoint: String) async throws -> [(name: String, count: Int64)] {
        try await database.read { transaction in
            try transaction.query(
                "SELECT metric, COUNT(*) FROM serving_feedback WHERE endpoint = ? GROUP BY metric ORDER BY metric LIMIT 100",
                [.text(endpoint)]
            ) { ($0.text(0), $0.integer(1)) }
        }
    }

    private func list(_ condition: String, _ values: [SQLValue], _ endpoint: String) async throws -> [StoredFeedback] {
        try await database.read { transaction in
            try transaction.query(
                """
                SELECT prediction_id, metric, value, text, observed_ms, received_ms FROM serving_feedback
                WHERE endpoint = ? \(condition)
                """,
                [.text(endpoint)] + values
            ) { row -> StoredFeedback? in
                guard let prediction = PredictionID(row.text(0)) else { return nil }
                return StoredFeedback(
                    feedback: Feedback(
                        prediction: prediction,
                        metric: row.text(1),
                        value: row.isNull(2) ? nil : row.real(2),
                        text: row.optionalText(3),
                        observed: row.integer(4)
                    ),
                    received: row.integer(5)
                )
            }.compactMap { $0 }
        }
    }
}
