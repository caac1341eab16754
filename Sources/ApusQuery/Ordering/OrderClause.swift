import ApusKernel

/// One clause of an order, cut into what is ordered by and the direction.
struct OrderClause {
    /// What is ordered by, as written; without its quotes when a direction follows it.
    let field: String
    let ascending: Bool

    /// Reads a clause such as `metrics.loss DESC`.
    ///
    /// - Throws: `RequestError` with MLflow's message.
    init(parsing text: String) throws {
        guard text.utf8.count <= SearchLimits.filterBytes else {
            throw RequestError.invalid("The order_by clause is longer than \(SearchLimits.filterBytes) bytes.")
        }
        let unreadable = RequestError.invalid("Invalid order_by clause '\(text)'. Could not be parsed.")
        guard Self.isOneField(SourceText(text)) else { throw unreadable }
        guard let words = ShellWords.split(text), words.count <= 2 else { throw unreadable }
        guard words.count == 2 else {
            (field, ascending) = (text.trimmedBlanks, true)
            return
        }
        let direction = words[1].lowercased()
        guard direction == "asc" || direction == "desc" else {
            throw RequestError.invalid("Invalid ordering key in order_by clause '\(text)'.")
        }
        (field, ascending) = (words[0].trimmedBlanks, direction == "asc")
    }

    /// Whether `source` is a single name with an optional direction, without blanks around it.
    private static func isOneField(_ source: SourceText) -> Bool {
        let reader = FilterItems(source)
        let items = reader.items(in: reader.tokens.indices)
        guard let first = items.first, let last = items.last,
            first.range.lowerBound == 0, last.range.upperBound == source.count
        else { return false }
        // `timestamp` is the name of a type in SQL and an attribute here.
        let isTimestamp = first.isToken(.type) && reader.text(first) == "timestamp"
        switch items.count {
        case 1: return first.kind == .identifier || isTimestamp
        case 2: return isTimestamp && last.isToken(.order)
        default: return false
        }
    }
}
