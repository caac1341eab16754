import ApusDatabase
import ApusKernel
import ApusQuery
import Tracking

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

/// How one kind of thing in the registry is searched.
struct RegistrySearchPlan<Item: Sendable>: Sendable {
    let schema: SearchSchema
    /// Leaves out what belongs to prompts, unless the filter asks for them.
    let isNoPrompt: SQLCondition
    /// Compiles a comparison; the truth value says whether prompts are asked for.
    let compile: @Sendable (Comparison, Bool, Dialect) throws -> SQLCondition
    /// The terms behind `ORDER BY`, with those that break ties.
    let order: @Sendable ([OrderTerm]) -> String
    /// Loads what the text behind `WHERE` selects.
    let load: @Sendable (String, [SQLValue], Transaction) throws -> [Item]

    /// One page, whose limit has been checked.
    func page(_ search: RegistrySearch, _ database: Database) async throws -> Page<Item> {
        let filter = try schema.parse(filter: search.filter)
        let terms = order(try schema.parse(orderBy: search.orderBy))
        let offset = Int64(try PageToken(decoding: search.pageToken).offset)
        let asksForPrompts = filter?.asksForPrompts ?? false
        return try await database.read { transaction in
            var conditions: [SQLCondition] = []
            if let filter {
                conditions.append(try filter.condition { try compile($0, asksForPrompts, transaction.dialect) })
            }
            if !asksForPrompts { conditions.append(isNoPrompt) }
            let condition = SQLCondition.all(conditions)
            let found = try load(
                "\(condition.text) ORDER BY \(terms) LIMIT ? OFFSET ?",
                condition.values + [.integer(search.limit + 1), .integer(offset)],
                transaction
            )
            return Page(fetched: found, limit: search.limit, offset: offset)
        }
    }
}

extension Filter {
    /// Whether prompts are asked for: the first comparison of the tag that marks them decides.
    fileprivate var asksForPrompts: Bool {
        let first = comparisons.first { $0.entity == .tag && $0.key == Prompt.markerKey }
        guard let first, case .string(let value) = first.value else { return false }
        switch first.comparator {
        case .equal: return value.lowercased() == "true"
        case .notEqual: return value.lowercased() == "false"
        default: return false
        }
    }
}
