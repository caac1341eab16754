import ApusDatabase
import ApusKernel
import ApusQuery

/// Turns a search for runs into SQL that reads as little as possible.
///
/// Three shapes: ordered by a metric within one experiment, the metric's index drives, and runs without the metric
/// come in a later phase; filtered by a metric that few runs satisfy, the metric's index drives and the few are
/// sorted; anything else reads the runs in their order and tests each.
struct RunSearchPlanner: Sendable {
    /// One statement; a search may need several, one after the other, until its page is full.
    struct Phase {
        var from = "runs r"
        var fromValues: [SQLValue] = []
        var condition: SQLCondition
        var order: String
        /// Whether an index has the rows in the order that is asked.
        var followsIndex = false

        func count(_ transaction: Transaction) throws -> Int64 {
            try transaction.first(
                "SELECT COUNT(*) FROM \(from) WHERE \(condition.text)",
                fromValues + condition.values
            ) { $0.integer(0) } ?? 0
        }
    }

    /// A metric filter that fewer runs satisfy than this drives the search.
    private static let fewRuns: Int64 = 5_000
    /// Each may take a join, of which a statement can have 64.
    private static let orderedFields = 40
    private static let metricKey = "(SELECT key_id FROM metric_keys WHERE key = ?)"

    let experiments: [Int64]
    let stages: [LifecycleStage]
    let filter: Filter?
    let order: [OrderTerm]
    var scope = RunScope.all

    func phases(_ transaction: Transaction) throws -> [Phase] {
        guard order.count <= Self.orderedFields else {
            throw RequestError.invalid("`order_by` has more than \(Self.orderedFields) fields.")
        }
        let dialect = transaction.dialect
        if case .children(let parent) = scope { return [try childPhase(parent, dialect)] }
        if experiments.count == 1, let first = order.first, first.entity == .metric {
            return try metricPhases(first, dialect)
        }
        if experiments.count == 1, let driver = try selectiveMetric(transaction) {
            return [try drivenPhase(driver, dialect)]
        }
        let tests = try conditions(dialect)
        var phase = Phase(condition: .all(scope(of: "r") + tests), order: "")
        phase.followsIndex = experiments.count == 1 && stages.count == 1 && order.isEmpty
        phase.order = addOrder(order[...], to: &phase)
        return [phase]
    }

    // MARK: Phases

    /// Runs with a number, then runs with NaN, then runs without the metric; the latter two only if no filter on the
    /// same metric excludes them.
    private func metricPhases(_ term: OrderTerm, _ dialect: Dialect) throws -> [Phase] {
        let filters = requiredComparisons.filter { $0.entity == .metric && $0.key == term.key }
        let ranges = filters.filter { $0.comparator != .notEqual && $0.value.double?.isNaN == false }
        // What bounds the range of the index need not be looked up again for each run.
        let others = try conditions(dialect, without: ranges)
        let rest = order.dropFirst()
        let join = "latest_metrics s CROSS JOIN runs r"
        let ofMetric = [
            SQLCondition("r.run_id = s.run_id"),
            SQLCondition("s.experiment_id = ?", [.integer(experiments[0])]),
            SQLCondition("s.key_id = \(Self.metricKey)", [.text(term.key)]),
        ]
        let range = try ranges.map { try $0.compare(real: "s.value") }
        var numbers = Phase(
            from: join,
            condition: .all(ofMetric + [SQLCondition("s.is_nan = 0")] + range + stageScope(of: "r") + others),
            order: ""
        )
        numbers.followsIndex = true
        let tail = addOrder(rest, to: &numbers)
        numbers.order = "s.value \(term.ascending ? "ASC" : "DESC"), \(tail)"
        guard ranges.isEmpty else { return [numbers] }
        var nans = Phase(
            from: join,
            condition: .all(ofMetric + [SQLCondition("s.is_nan = 1")] + stageScope(of: "r") + others),
            order: ""
        )
        nans.order = addOrder(rest, to: &nans)
        guard filters.isEmpty else { return [numbers, nans] }
        let missing = SQLCondition(
            "NOT EXISTS (SELECT 1 FROM latest_metrics s WHERE s.run_id = r.run_id AND s.key_id = \(Self.metricKey))",
            [.text(term.key)]
        )
        var without = Phase(condition: .all(scope(of: "r") + [missing] + others), order: "")
        without.order = addOrder(rest, to: &without)
        return [numbers, nans, without]
    }

    private func drivenPhase(_ driver: Comparison, _ dialect: Dialect) throws -> Phase {
        var phase = Phase(
            from: "latest_metrics s CROSS JOIN runs r",
            condition: .all(
                [SQLCondition("r.run_id = s.run_id")] + (try range(of: driver)) + stageScope(of: "r")
                    + (try conditions(dialect))
            ),
            order: ""
        )
        phase.order = addOrder(order[...], to: &phase)
        return phase
    }

    /// The children of one run, found by an index of parents.
    private func childPhase(_ parent: String, _ dialect: Dialect) throws -> Phase {
        var phase = Phase(
            from: "tags s CROSS JOIN runs r",
            condition: .all(
                [SQLCondition("\(Self.isParent("s")) AND s.value = ?", [.text(parent)])]
                    + [SQLCondition("r.run_id = s.run_id AND r.run_uuid <> s.value")] + scope(of: "r")
                    + (try conditions(dialect))
            ),
            order: ""
        )
        phase.order = addOrder(order[...], to: &phase)
        return phase
    }

    /// Whether a tag names a parent, in the words of the index `tags_by_parent`, which leaves out what is too long to be
    /// an identifier.
    static func isParent(_ tag: String) -> String {
        "\(tag).key = 'mlflow.parentRunId' AND LENGTH(\(tag).value) <= 64"
    }

    /// Whether the run `r` with the tag `p` stands below the run `q`: another one of its experiment, and of its stage where
    /// only one is searched.
    static func hasParent(stages: Int) -> String {
        """
        \(isParent("p")) AND q.run_uuid = p.value AND q.run_id <> r.run_id AND q.experiment_id = r.experiment_id\
        \(stages == 1 ? " AND q.lifecycle_stage = r.lifecycle_stage" : "")
        """
    }

    private func scopeConditions(_ dialect: Dialect) throws -> [SQLCondition] {
        switch scope {
        case .all, .children: return []
        case .matching(let comparison): return [try compile(comparison, dialect)]
        case .roots:
            return [
                SQLCondition(
                    """
                    (
                        SELECT 1
                        FROM tags p
                        JOIN runs q ON q.run_uuid = p.value
                        WHERE p.run_id = r.run_id AND \(Self.hasParent(stages: stages.count))
                    ) IS NULL
                    """
                )
            ]
        }
    }

    /// The comparison of a metric that so few runs satisfy that it pays to begin with them.
    private func selectiveMetric(_ transaction: Transaction) throws -> Comparison? {
        let candidates = requiredComparisons.filter { comparison in
            comparison.entity == .metric && comparison.comparator != .notEqual
                && comparison.value.double?.isNaN == false
        }
        for candidate in candidates.prefix(4) {
            let range = SQLCondition.all(try range(of: candidate))
            let count = try transaction.first(
                "SELECT COUNT(*) FROM (SELECT 1 FROM latest_metrics s WHERE \(range.text) LIMIT ?) few",
                range.values + [.integer(Self.fewRuns)]
            ) { $0.integer(0) }
            if let count, count < Self.fewRuns { return candidate }
        }
        return nil
    }

    private func range(of comparison: Comparison) throws -> [SQLCondition] {
        [
            SQLCondition("s.experiment_id = ?", [.integer(experiments[0])]),
            SQLCondition("s.key_id = \(Self.metricKey)", [.text(comparison.key)]),
            SQLCondition("s.is_nan = 0"),
            try comparison.compare(real: "s.value"),
        ]
    }

    // MARK: Conditions

    /// Comparisons that every found run satisfies.
    private var requiredComparisons: [Comparison] {
        switch filter {
        case .comparison(let comparison): [comparison]
        case .and(let parts): parts.compactMap { if case .comparison(let comparison) = $0 { comparison } else { nil } }
        case .or, nil: []
        }
    }

    private func scope(of table: String) -> [SQLCondition] {
        let experiment =
            experiments.count == 1
            ? SQLCondition("\(table).experiment_id = ?", [.integer(experiments[0])])
            : SQLCondition("\(table).experiment_id IN (?*)", [.integers(experiments)])
        return [experiment] + stageScope(of: table)
    }

    private func stageScope(of table: String) -> [SQLCondition] {
        guard stages.count == 1 else { return [] }
        return [SQLCondition("\(table).lifecycle_stage = ?", [.text(stages[0].rawValue)])]
    }

    /// The filter as SQL, without the comparisons in `done`, which every candidate satisfies already.
    private func conditions(_ dialect: Dialect, without done: [Comparison] = []) throws -> [SQLCondition] {
        let parts: [Filter] =
            switch filter {
            case nil: []
            case .and(let parts): parts
            case .some(let single): [single]
            }
        let rest = parts.filter { part in
            if case .comparison(let comparison) = part { !done.contains(comparison) } else { true }
        }
        return try rest.map { try $0.condition { try compile($0, dialect) } } + scopeConditions(dialect)
    }

    private func compile(_ comparison: Comparison, _ dialect: Dialect) throws -> SQLCondition {
        switch comparison.entity {
        case .attribute: try compileAttribute(comparison, dialect)
        case .metric: try compileMetric(comparison)
        case .param: try compilePair("params", comparison, dialect)
        case .tag: try compilePair("tags", comparison, dialect)
        case .dataset: try compileDataset(comparison, dialect)
        }
    }

    private func compileAttribute(_ comparison: Comparison, _ dialect: Dialect) throws -> SQLCondition {
        guard let column = Self.column(comparison.key) else { throw comparison.unsupported }
        if Self.numericColumns.contains(column) { return try comparison.compare(number: "r.\(column)") }
        return try comparison.compare(text: "r.\(column)", dialect)
    }

    /// NaN is unequal to everything and comparable to nothing.
    ///
    /// A scalar subquery, here and for params and tags: PostgreSQL turns `EXISTS` into a join with the whole table,
    /// although a page needs to look at a few runs only.
    private func compileMetric(_ comparison: Comparison) throws -> SQLCondition {
        let value = try comparison.compare(real: "m.value")
        let test =
            comparison.comparator == .notEqual ? "(m.is_nan = 1 OR \(value.text))" : "m.is_nan = 0 AND \(value.text)"
        return SQLCondition(
            """
            (
                SELECT CASE WHEN \(test) THEN 1 ELSE 0 END
                FROM latest_metrics m
                WHERE m.run_id = r.run_id AND m.key_id = \(Self.metricKey)
            ) = 1
            """,
            value.values + [.text(comparison.key)]
        )
    }

    private func compilePair(_ table: String, _ comparison: Comparison, _ dialect: Dialect) throws -> SQLCondition {
        let stored = "(SELECT p.value FROM \(table) p WHERE p.run_id = r.run_id AND p.key = ?)"
        let value = try comparison.compare(text: stored, dialect)
        return SQLCondition(value.text, [.text(comparison.key)] + value.values)
    }

    private func compileDataset(_ comparison: Comparison, _ dialect: Dialect) throws -> SQLCondition {
        if comparison.key == "context" {
            let value = try comparison.compare(text: "t.value", dialect)
            return SQLCondition(
                """
                EXISTS (
                    SELECT 1 FROM input_tags t
                    WHERE t.run_id = r.run_id AND t.name = 'mlflow.data.context' AND \(value.text)
                )
                """,
                value.values
            )
        }
        let value = try comparison.compare(text: comparison.key == "digest" ? "d.digest" : "d.name", dialect)
        return SQLCondition(
            """
            EXISTS (
                SELECT 1 FROM inputs i JOIN datasets d ON d.dataset_id = i.dataset_id
                WHERE i.run_id = r.run_id AND \(value.text)
            )
            """,
            value.values
        )
    }

    // MARK: Order

    /// The order's SQL; adds the joins that it needs to the phase.
    private func addOrder(_ terms: ArraySlice<OrderTerm>, to phase: inout Phase) -> String {
        var texts: [String] = []
        for (index, term) in terms.enumerated() {
            let direction = term.ascending ? "ASC" : "DESC"
            let table = "o\(index)"
            switch term.entity {
            case .attribute:
                guard let column = Self.column(term.key) else { continue }
                if column == "end_time" { texts.append("(r.end_time IS NULL)") }
                texts.append("r.\(column) \(direction)")
            case .metric:
                phase.from +=
                    " LEFT JOIN latest_metrics \(table) ON \(table).run_id = r.run_id AND \(table).key_id = \(Self.metricKey)"
                phase.fromValues.append(.text(term.key))
                texts += ["(\(table).run_id IS NULL)", "\(table).is_nan", "\(table).value \(direction)"]
            case .param, .tag:
                let source = term.entity == .param ? "params" : "tags"
                phase.from += " LEFT JOIN \(source) \(table) ON \(table).run_id = r.run_id AND \(table).key = ?"
                phase.fromValues.append(.text(term.key))
                texts += ["(\(table).value IS NULL)", "\(table).value \(direction)"]
            case .dataset: continue
            }
        }
        if !order.contains(where: { $0.entity == .attribute && $0.key == "start_time" }) {
            texts.append("r.start_time DESC")
        }
        if !order.contains(where: { $0.entity == .attribute && $0.key == "run_id" }) { texts.append("r.run_uuid ASC") }
        return texts.joined(separator: ", ")
    }

    private static let numericColumns: Set<String> = ["start_time", "end_time"]

    private static func column(_ attribute: String) -> String? {
        switch attribute {
        case "run_id": "run_uuid"
        case "run_name": "name"
        case "user_id", "status", "artifact_uri", "start_time", "end_time": attribute
        default: nil
        }
    }
}
