/// Bounds on what a search request may hold.
package enum SearchLimits {
    /// UTF-8 bytes of a filter or of one order-by clause.
    package static let filterBytes = 65_536
    /// Comparisons in one filter.
    package static let clauses = 200
    /// Nested parentheses around comparisons.
    package static let depth = 32
    /// Items of one `IN` list.
    package static let listItems = 5_000
    /// Order-by clauses of one search.
    package static let orderTerms = 100
    /// UTF-8 bytes of a page token.
    package static let tokenBytes = 1_048_576
    /// The largest number of rows that a page token may skip.
    package static let offset = 1_000_000_000_000
}
