import ApusDatabase
import ApusKernel
import ApusQuery
package import Tracking

extension RegistryStore {
    /// One page of live versions; those of prompts only when the filter asks for them.
    package func searchVersions(_ search: RegistrySearch) async throws -> Page<ModelVersion> {
        try Self.checkMaximum(search.limit, RegistryLimits.versionsPerPage)
        guard search.limit >= 1 else {
            throw RequestError.invalid(
                "Invalid value for max_results. It must be a positive integer, but got \(search.limit)"
            )
        }
        return try await Self.versionPlan.page(search, database)
    }

    /// One page of a model's live versions, the newest first.
    func versions(of model: RegisteredModel, limit: Int64, pageToken: String) async throws -> Page<ModelVersion> {
        let offset = Int64(try PageToken(decoding: pageToken).offset)
        return try await database.read { transaction in
            let found = try Self.versions(
                where: "v.registered_model_id = ? ORDER BY v.version DESC LIMIT ? OFFSET ?",
                [.integer(model.id), .integer(limit + 1), .integer(offset)],
                transaction
            )
            return Page(fetched: found, limit: limit, offset: offset)
        }
    }

    private static let versionPlan = RegistrySearchPlan(
        schema: .modelVersions,
        isNoPrompt: isOfNoPrompt,
        compile: compileVersion,
        order: versionOrder,
        load: { try versions(where: $0, $1, $2) }
    )

    /// As in MLflow, one version with the mark hides all versions of the name.
    private static let isOfNoPrompt = SQLCondition(
        """
        NOT EXISTS (
            SELECT 1 FROM model_version_tags p
            WHERE p.key = ? AND p.registered_model_id = v.registered_model_id AND p.value = 'true'
        )
        """,
        [.text(Prompt.markerKey)]
    )

    private static func versionOrder(_ order: [OrderTerm]) -> String {
        var terms = order.map { "\(column($0.key)) \($0.ascending ? "ASC" : "DESC")" }
        if order.isEmpty { terms.append("v.last_updated_time DESC") }
        if !order.contains(where: { $0.key == "name" }) { terms.append("m.name ASC") }
        if !order.contains(where: { $0.key == "version_number" }) { terms.append("v.version DESC") }
        return terms.joined(separator: ", ")
    }

    private static func compileVersion(
        _ comparison: Comparison,
        _ asksForPrompts: Bool,
        _ dialect: Dialect
    ) throws -> SQLCondition {
        guard comparison.entity == .attribute else {
            guard asksForPrompts || comparison.key != Prompt.markerKey else { return SQLCondition("1 = 1") }
            let value = try comparison.compare(text: "t.value", dialect)
            return SQLCondition(
                """
                EXISTS (
                    SELECT 1 FROM model_version_tags t
                    WHERE t.model_version_id = v.model_version_id AND t.key = ? AND \(value.text)
                )
                """,
                [.text(comparison.key)] + value.values
            )
        }
        switch comparison.key {
        case "version_number": return try comparison.compare(number: "v.version")
        case "name", "run_id", "source_path": return try comparison.compare(text: column(comparison.key), dialect)
        default: throw comparison.unsupported
        }
    }

    private static func column(_ key: String) -> String {
        switch key {
        case "version_number": "v.version"
        case "run_id": "v.run_id"
        case "source_path": "v.source"
        case "creation_timestamp": "v.creation_time"
        case "last_updated_timestamp": "v.last_updated_time"
        default: "m.name"
        }
    }
}
