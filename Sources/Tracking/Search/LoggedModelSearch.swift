import ApusDatabase
import ApusKernel
package import ApusQuery

/// A search for logged models, as asked.
package struct LoggedModelSearch: Sendable {
    /// A dataset on which metrics were measured.
    package struct Dataset: Sendable, Equatable {
        package let name: String
        /// Nil for every digest.
        package let digest: String?

        package init(name: String, digest: String? = nil) {
            self.name = name
            self.digest = digest
        }
    }

    /// The most datasets in one search.
    static let maximumDatasets = 1_000

    /// Wire identifiers, at least one.
    package var experimentIDs: [String]
    package var filter: String
    /// The datasets on which metrics must have been measured to count; empty for all.
    ///
    /// Without a metric in the filter, models count only with some metric on one of these.
    package var datasets: [Dataset]
    package var orderBy: [OrderRequest]
    /// 1 to 50,000.
    package var limit: Int64
    package var pageToken: String

    package init(
        experimentIDs: [String],
        filter: String = "",
        datasets: [Dataset] = [],
        orderBy: [OrderRequest] = [],
        limit: Int64 = 50,
        pageToken: String = ""
    ) {
        self.experimentIDs = experimentIDs
        self.filter = filter
        self.datasets = datasets
        self.orderBy = orderBy
        self.limit = limit
        self.pageToken = pageToken
    }
}

extension TrackingStore {
    /// One page of logged models with everything that belongs to them, in four statements.
    package func searchLoggedModels(_ search: LoggedModelSearch) async throws -> Page<LoggedModel> {
        try Limits.checkResults(search.limit)
        guard search.datasets.allSatisfy({ !$0.name.isEmpty }) else {
            throw RequestError.invalid("`dataset_name` in the `datasets` clause must be specified.")
        }
        guard search.datasets.count <= LoggedModelSearch.maximumDatasets else {
            throw RequestError.invalid("`datasets` has more than \(LoggedModelSearch.maximumDatasets) elements.")
        }
        let experiments = Array(Set(try search.experimentIDs.map(Experiment.parseID))).sorted()
        let filter = try SearchSchema.loggedModels.parse(filter: search.filter)
        let order = try SearchSchema.loggedModels.parse(orderBy: search.orderBy)
        let offset = try search.token(offset: 0).offset(decoding: search.pageToken)
        let query = LoggedModelQuery(experiments: experiments, datasets: search.datasets)
        return try await database.read { transaction in
            let condition = try query.condition(filter, transaction.dialect)
            let ordering = try query.order(order)
            let found = try Self.loggedModelInfos(
                where: "\(condition.text) ORDER BY \(ordering.text) LIMIT ? OFFSET ?",
                condition.values + ordering.values + [.integer(search.limit + 1), .integer(Int64(offset))],
                transaction
            )
            let size = Int(clamping: search.limit)
            let (next, overflows) = offset.addingReportingOverflow(size)
            return Page(
                items: try Self.complete(Array(found.prefix(size)), transaction),
                nextToken: found.count > size && !overflows ? search.token(offset: next).encoded : nil
            )
        }
    }
}

extension LoggedModelSearch {
    fileprivate func token(offset: Int) -> LoggedModelPageToken {
        LoggedModelPageToken(
            experimentIDs: experimentIDs,
            filter: filter.isEmpty ? nil : filter,
            orderBy: orderBy,
            offset: offset
        )
    }
}

/// Turns a search for logged models into SQL on the table `m`.
struct LoggedModelQuery: Sendable {
    let experiments: [Int64]
    let datasets: [LoggedModelSearch.Dataset]

    /// What a found model satisfies.
    func condition(_ filter: Filter?, _ dialect: Dialect) throws -> SQLCondition {
        var parts = [
            experiments.count == 1
                ? SQLCondition("m.experiment_id = ?", [.integer(experiments[0])])
                : SQLCondition("m.experiment_id IN (?*)", [.integers(experiments)]),
            SQLCondition("m.lifecycle_stage = 'active'"),
        ]
        if let filter { parts.append(try filter.condition { try compile($0, dialect) }) }
        let hasMetric = filter?.comparisons.contains { $0.entity == .metric } ?? false
        if !datasets.isEmpty, !hasMetric {
            let measured = onDatasets(datasets)
            parts.append(
                SQLCondition(
                    """
                    EXISTS (
                        SELECT 1 FROM logged_model_metrics x
                        WHERE x.logged_model_id = m.logged_model_id AND \(measured.text)
                    )
                    """,
                    measured.values
                )
            )
        }
        return .all(parts)
    }

    /// The order with its tie-breakers: newest first, then by identifier.
    func order(_ terms: [OrderTerm]) throws -> SQLCondition {
        var texts: [String] = []
        var values: [SQLValue] = []
        for term in terms {
            let direction = term.ascending ? "ASC" : "DESC"
            guard term.entity == .metric else {
                if let column = Self.column(term.key) { texts.append("m.\(column) \(direction)") }
                continue
            }
            // Numbers, then NaN, then models without the metric, in both directions.
            let latest = latest(of: term)
            texts.append("COALESCE((SELECT x.is_nan \(latest.text)), 2)")
            texts.append("(SELECT x.metric_value \(latest.text)) \(direction)")
            values += latest.values + latest.values
        }
        let attributes = terms.filter { $0.entity == .attribute }.map(\.key)
        if !attributes.contains("creation_timestamp") { texts.append("m.creation_timestamp_ms DESC") }
        if !attributes.contains("model_id") { texts.append("m.model_id ASC") }
        return SQLCondition(texts.joined(separator: ", "), values)
    }

    // MARK: Comparisons

    private func compile(_ comparison: Comparison, _ dialect: Dialect) throws -> SQLCondition {
        switch comparison.entity {
        case .attribute: try compileAttribute(comparison, dialect)
        case .metric: try compileMetric(comparison)
        case .param: try compilePair("logged_model_params", "param", comparison, dialect)
        case .tag: try compilePair("logged_model_tags", "tag", comparison, dialect)
        case .dataset: throw comparison.unsupported
        }
    }

    private func compileAttribute(_ comparison: Comparison, _ dialect: Dialect) throws -> SQLCondition {
        guard let column = Self.column(comparison.key) else { throw comparison.unsupported }
        switch column {
        case "status": return try compileStatus(comparison)
        case "creation_timestamp_ms", "last_updated_timestamp_ms":
            return try comparison.compare(number: "m.\(column)")
        case "experiment_id": return try comparison.compare(text: "CAST(m.experiment_id AS TEXT)", dialect)
        default: return try comparison.compare(text: "m.\(column)", dialect)
        }
    }

    private func compileStatus(_ comparison: Comparison) throws -> SQLCondition {
        let names: [String] =
            switch comparison.value {
            case .string(let name): [name]
            case .list(let names): names
            default: throw comparison.unsupported
            }
        let numbers = LoggedModelStatus.allCases.filter { names.contains($0.filterName) }.map(\.rawValue)
        return switch comparison.comparator {
        case .equal, .in: SQLCondition("m.status IN (?*)", [.integers(numbers)])
        case .notEqual, .notIn: SQLCondition("m.status NOT IN (?*)", [.integers(numbers)])
        default: throw comparison.unsupported
        }
    }

    private func compilePair(
        _ table: String,
        _ prefix: String,
        _ comparison: Comparison,
        _ dialect: Dialect
    ) throws -> SQLCondition {
        let value = try comparison.compare(text: "p.\(prefix)_value", dialect)
        return SQLCondition(
            """
            EXISTS (
                SELECT 1 FROM \(table) p
                WHERE p.logged_model_id = m.logged_model_id AND p.\(prefix)_key = ? AND \(value.text)
            )
            """,
            [.text(comparison.key)] + value.values
        )
    }

    /// NaN is unequal to everything and comparable to nothing.
    private func compileMetric(_ comparison: Comparison) throws -> SQLCondition {
        let latest = latest(comparison.key, onDatasets(datasets))
        let value = try comparison.compare(real: "l.metric_value")
        let test =
            comparison.comparator == .notEqual ? "(l.is_nan = 1 OR \(value.text))" : "l.is_nan = 0 AND \(value.text)"
        return SQLCondition(
            "EXISTS (SELECT 1 FROM (SELECT x.metric_value, x.is_nan \(latest.text)) l WHERE \(test))",
            latest.values + value.values
        )
    }

    // MARK: Latest points

    private func latest(of term: OrderTerm) -> SQLCondition {
        var parts = [onDatasets(datasets)]
        if let name = term.datasetName { parts.append(SQLCondition("x.dataset_name = ?", [.text(name)])) }
        if let digest = term.datasetDigest { parts.append(SQLCondition("x.dataset_digest = ?", [.text(digest)])) }
        return latest(term.key, .all(parts))
    }

    /// `FROM …` with the one row that is the model's latest point of a metric: the greatest step, timestamp and value.
    private func latest(_ metric: String, _ condition: SQLCondition) -> SQLCondition {
        SQLCondition(
            """
            FROM logged_model_metrics x
            WHERE x.logged_model_id = m.logged_model_id AND x.metric_name = ? AND \(condition.text)
            ORDER BY x.metric_step DESC, x.metric_timestamp_ms DESC, x.metric_value DESC
            LIMIT 1
            """,
            [.text(metric)] + condition.values
        )
    }

    /// Whether the point `x` was measured on one of the datasets; true for none.
    ///
    /// Each kind is one list, so that a long list in each of many comparisons stays below the database's limit of
    /// bound values. The name's length in front keeps pairs apart whose texts join to the same.
    private func onDatasets(_ datasets: [LoggedModelSearch.Dataset]) -> SQLCondition {
        guard !datasets.isEmpty else { return .all([]) }
        let names = datasets.filter { $0.digest == nil }.map(\.name)
        let pairs = datasets.compactMap { dataset in
            dataset.digest.map { "\(dataset.name.unicodeScalars.count):\(dataset.name)\($0)" }
        }
        var parts: [SQLCondition] = []
        if !names.isEmpty { parts.append(SQLCondition("x.dataset_name IN (?*)", [.texts(names)])) }
        if !pairs.isEmpty {
            parts.append(
                SQLCondition(
                    "(LENGTH(x.dataset_name) || ':' || x.dataset_name || x.dataset_digest) IN (?*)",
                    [.texts(pairs)]
                )
            )
        }
        return SQLCondition("(\(SQLCondition.any(parts).text))", parts.flatMap(\.values))
    }

    private static func column(_ attribute: String) -> String? {
        switch attribute {
        case "name", "model_id", "model_type", "status", "source_run_id", "experiment_id", "artifact_location":
            attribute
        case "creation_timestamp": "creation_timestamp_ms"
        case "last_updated_timestamp": "last_updated_timestamp_ms"
        default: nil
        }
    }
}
