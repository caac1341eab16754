import ApusDatabase
import ApusKernel
import ApusQuery

/// A search for experiments, as asked.
package struct ExperimentSearch: Sendable {
    package var filter = ""
    /// A text that the name holds, regardless of case: unlike a pattern of a filter, it may have any characters.
    package var namePart = ""
    package var orderBy: [String] = []
    package var view = ViewType.activeOnly
    /// 1 to 50,000.
    package var limit: Int64 = 1000
    package var pageToken = ""
}

extension TrackingStore {
    /// One page of experiments.
    package func searchExperiments(_ search: ExperimentSearch) async throws -> Page<Experiment> {
        try Limits.checkResults(search.limit)
        let filter = try SearchSchema.experiments.parse(filter: search.filter)
        let order = try SearchSchema.experiments.parse(orderBy: search.orderBy)
        let offset = Int64(try PageToken(decoding: search.pageToken).offset)
        return try await database.read { transaction in
            var conditions = [
                SQLCondition("e.lifecycle_stage IN (?*)", [.texts(search.view.stages.map(\.rawValue))])
            ]
            if !search.namePart.isEmpty { conditions.append(.contains("e.name", search.namePart)) }
            if let filter {
                conditions.append(try filter.condition { try Self.compile($0, transaction.dialect) })
            }
            let condition = SQLCondition.all(conditions)
            let found = try Self.experiments(
                where: "\(condition.text) ORDER BY \(Self.orderText(order)) LIMIT ? OFFSET ?",
                condition.values + [.integer(search.limit + 1), .integer(offset)],
                transaction
            )
            return Page(fetched: found, limit: search.limit, offset: offset)
        }
    }

    private static func orderText(_ order: [OrderTerm]) -> String {
        var terms = order.map { "e.\(column($0.key)) \($0.ascending ? "ASC" : "DESC")" }
        if order.isEmpty { terms = ["e.creation_time DESC", "e.experiment_id ASC"] }
        if !order.isEmpty, !order.contains(where: { $0.key == "experiment_id" }) {
            terms.append("e.experiment_id DESC")
        }
        return terms.joined(separator: ", ")
    }

    private static func compile(_ comparison: Comparison, _ dialect: Dialect) throws -> SQLCondition {
        guard comparison.entity == .attribute else { return try compileTag(comparison, dialect) }
        switch comparison.key {
        case "name": return try comparison.compare(text: "e.name", dialect)
        case "experiment_id": return try comparison.compare(text: "CAST(e.experiment_id AS TEXT)", dialect)
        case "creation_time", "last_update_time":
            return try comparison.compare(number: "e.\(column(comparison.key))")
        default: throw comparison.unsupported
        }
    }

    private static func compileTag(_ comparison: Comparison, _ dialect: Dialect) throws -> SQLCondition {
        let exists = "EXISTS (SELECT 1 FROM experiment_tags t WHERE t.experiment_id = e.experiment_id AND t.key = ?"
        if comparison.comparator == .isNull { return SQLCondition("NOT \(exists))", [.text(comparison.key)]) }
        let value = try comparison.compare(text: "t.value", dialect)
        return SQLCondition("\(exists) AND \(value.text))", [.text(comparison.key)] + value.values)
    }

    private static func column(_ key: String) -> String {
        switch key {
        case "name", "experiment_id", "creation_time", "last_update_time": key
        default: "experiment_id"
        }
    }
}

extension Limits {
    /// Checks how many results are asked for.
    package static func checkResults(_ limit: Int64) throws {
        guard limit >= 1 else {
            throw RequestError.invalid(
                "Invalid value \(limit) for parameter 'max_results' supplied. It must be a positive integer"
            )
        }
        guard limit <= searchResults else {
            throw RequestError.invalid(
                "Invalid value \(limit) for parameter 'max_results' supplied. It must be at most \(searchResults)"
            )
        }
    }
}
