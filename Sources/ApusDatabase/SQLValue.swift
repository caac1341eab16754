/// A value bound to a statement.
package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    /// A finite number: SQLite would store NaN as NULL.
    case real(Double)
    case text(String)
    case blob([UInt8])
    /// The right-hand side of `IN (?*)`.
    case integers([Int64])
    /// The right-hand side of `IN (?*)`.
    case texts([String])

    /// A text, or NULL.
    package static func optional(_ value: String?) -> SQLValue {
        value.map(SQLValue.text) ?? .null
    }

    /// An integer, or NULL.
    package static func optional(_ value: Int64?) -> SQLValue {
        value.map(SQLValue.integer) ?? .null
    }
}

extension SQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    package init(stringLiteral value: String) {
        self = .text(value)
    }

    package init(integerLiteral value: Int64) {
        self = .integer(value)
    }
}
