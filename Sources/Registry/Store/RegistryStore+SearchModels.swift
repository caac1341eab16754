import ApusDatabase
import ApusKernel
import ApusQuery
package import Tracking

/// A search of the registry, as asked.
package struct RegistrySearch: Sendable {
    package var filter = ""
    package var orderBy: [String] = []
    /// At least 1; at most 1,000 models or 200,000 versions.
    package var limit: Int64
    package var pageToken = ""

    package init(filter: String = "", orderBy: [String] = [], limit: Int64, pageToken: String = "") {
        self.filter = filter
        self.orderBy = orderBy
        self.limit = limit
        self.pageToken = pageToken
    }
}

extension RegistryStore {
    /// One page of registered models; prompts only when the filter asks for them.
    package func searchModels(_ search: RegistrySearch) async throws -> Page<RegisteredModel> {
        guard search.limit >= 1 else {
            throw RequestError.invalid(
                "Invalid value \(search.limit) for parameter 'max_results' supplied. It must be a positive integer"
            )
        }
        try Self.checkMaximum(search.limit, RegistryLimits.modelsPerPage)
        let filter = try SearchSchema.registeredModels.parse(filter: search.filter)
        let order = try SearchSchema.registeredModels.parse(orderBy: search.orderBy)
        let offset = Int64(try PageToken(decoding: search.pageToken).offset)
        let asksForPrompts = filter?.asksForPrompts ?? false
        return try await database.read { transaction in
            var conditions: [SQLCondition] = []
            if let filter {
                conditions.append(
                    try filter.condition { try Self.compileModel($0, asksForPrompts, transaction.dialect) }
                )
            }
            if !asksForPrompts { conditions.append(Self.isNoPrompt) }
            let condition = SQLCondition.all(conditions)
            let found = try Self.models(
                where: "\(condition.text) ORDER BY \(Self.modelOrder(order)) LIMIT ? OFFSET ?",
                condition.values + [.integer(search.limit + 1), .integer(offset)],
                transaction
            )
            return Page(fetched: found, limit: search.limit, offset: offset)
        }
    }

    static func checkMaximum(_ limit: Int64, _ maximum: Int64) throws {
        guard limit <= maximum else {
            throw RequestError.invalid(
                "Invalid value \(limit) for parameter 'max_results' supplied:  Hint: Value was of type 'int'. "
                    + "See the API docs for more information about request parameters."
            )
        }
    }

    private static let isNoPrompt = SQLCondition(
        """
        NOT EXISTS (
            SELECT 1 FROM registered_model_tags p
            WHERE p.registered_model_id = m.registered_model_id AND p.key = ? AND p.value = 'true'
        )
        """,
        [.text(Prompt.markerKey)]
    )

    private static func modelOrder(_ order: [OrderTerm]) -> String {
        var terms = order.map { term in
            "m.\(term.key == "name" ? "name" : "last_updated_time") \(term.ascending ? "ASC" : "DESC")"
        }
        if !order.contains(where: { $0.key == "name" }) { terms.append("m.name ASC") }
        return terms.joined(separator: ", ")
    }

    private static func compileModel(
        _ comparison: Comparison,
        _ asksForPrompts: Bool,
        _ dialect: Dialect
    ) throws -> SQLCondition {
        guard comparison.entity == .attribute else {
            // Models have no such tag, whatever a filter says about it.
            guard asksForPrompts || comparison.key != Prompt.markerKey else { return SQLCondition("1 = 1") }
            let value = try comparison.compare(text: "t.value", dialect)
            return SQLCondition(
                """
                EXISTS (
                    SELECT 1 FROM registered_model_tags t
                    WHERE t.registered_model_id = m.registered_model_id AND t.key = ? AND \(value.text)
                )
                """,
                [.text(comparison.key)] + value.values
            )
        }
        guard comparison.key == "name" else { throw comparison.unsupported }
        return try comparison.compare(text: "m.name", dialect)
    }
}

extension Filter {
    /// Whether prompts are asked for: the first comparison of the tag that marks them decides.
    var asksForPrompts: Bool {
        let first = comparisons.first { $0.entity == .tag && $0.key == Prompt.markerKey }
        guard let first, case .string(let value) = first.value else { return false }
        switch first.comparator {
        case .equal: return value.lowercased() == "true"
        case .notEqual: return value.lowercased() == "false"
        default: return false
        }
    }
}
