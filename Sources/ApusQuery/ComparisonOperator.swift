/// How a field is compared; the raw value is the canonical spelling.
package enum ComparisonOperator: String, Sendable, CaseIterable {
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    /// A case-sensitive pattern: `%` is any text, `_` any one character, and there is no escape.
    case like = "LIKE"
    /// As `like`, but regardless of case.
    case iLike = "ILIKE"
    case `in` = "IN"
    case notIn = "NOT IN"
    case isNull = "IS NULL"
    case isNotNull = "IS NOT NULL"

    /// The operators that numbers have.
    package static let numeric: Set<ComparisonOperator> = [
        .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual,
    ]
    /// The operators that texts have everywhere.
    package static let textual: Set<ComparisonOperator> = [.equal, .notEqual, .like, .iLike]
    /// The operators whose right side is a list.
    package static let listed: Set<ComparisonOperator> = [.in, .notIn]
    /// The operators without a right side.
    package static let nullTests: Set<ComparisonOperator> = [.isNull, .isNotNull]
}
