import ApusDatabase
import ApusKernel
import ApusQuery
package import Tracking

extension RegistryStore {
    /// One page of registered models; prompts only when the filter asks for them.
    package func searchModels(_ search: RegistrySearch) async throws -> Page<RegisteredModel> {
        guard search.limit >= 1 else {
            throw RequestError.invalid(
                "Invalid value \(search.limit) for parameter 'max_results' supplied. It must be a positive integer"
            )
        }
        try Self.checkMaximum(search.limit, RegistryLimits.modelsPerPage)
        return try await Self.modelPlan.page(search, database)
    }

    private static let modelPlan = RegistrySearchPlan(
        schema: .registeredModels,
        isNoPrompt: isNoPrompt,
        compile: compileModel,
        order: modelOrder,
        load: { try models(where: $0, $1, $2) }
    )

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
