package import ApusDatabase
package import ApusKernel
package import ApusQuery

/// A piece of SQL with its bound values.
package struct SQLCondition: Sendable {
    package var text: String
    package var values: [SQLValue]

    package init(_ text: String, _ values: [SQLValue] = []) {
        self.text = text
        self.values = values
    }

    /// All hold; true for none.
    package static func all(_ parts: [SQLCondition]) -> SQLCondition {
        guard !parts.isEmpty else { return SQLCondition("1 = 1") }
        return SQLCondition(parts.map { "(\($0.text))" }.joined(separator: " AND "), parts.flatMap(\.values))
    }

    /// A text expression, which is SQL of ours, holds `part`, regardless of case and with no character as a wildcard.
    package static func contains(_ expression: String, _ part: String) -> SQLCondition {
        var pattern = ""
        for character in part {
            if "!%_".contains(character) { pattern += "!" }
            pattern.append(character)
        }
        return SQLCondition("LOWER(\(expression)) LIKE LOWER(?) ESCAPE '!'", [.text("%\(pattern)%")])
    }

    /// At least one holds.
    package static func any(_ parts: [SQLCondition]) -> SQLCondition {
        SQLCondition(parts.map { "(\($0.text))" }.joined(separator: " OR "), parts.flatMap(\.values))
    }
}

extension Filter {
    /// Compiles the tree, leaving each comparison to `compile`.
    package func condition(_ compile: (Comparison) throws -> SQLCondition) rethrows -> SQLCondition {
        switch self {
        case .comparison(let comparison): try compile(comparison)
        case .and(let parts): .all(try parts.map { try $0.condition(compile) })
        case .or(let parts): .any(try parts.map { try $0.condition(compile) })
        }
    }
}

extension Comparison {
    /// Compares a text expression, which is SQL of ours, with the comparison's value.
    ///
    /// - Throws: `INVALID_PARAMETER_VALUE` when the comparison's value is neither a text nor a list that its operator
    ///   takes.
    package func compare(text expression: String, _ dialect: Dialect) throws -> SQLCondition {
        if [.like, .iLike].contains(comparator), case .string(let pattern) = value, pattern.utf8.count > 1_000 {
            throw RequestError.invalid("A pattern can have at most 1000 bytes.")
        }
        return switch (comparator, value) {
        case (.isNull, _): SQLCondition("\(expression) IS NULL")
        case (.isNotNull, _): SQLCondition("\(expression) IS NOT NULL")
        case (.in, .list(let list)): SQLCondition("\(expression) IN (?*)", [.texts(list)])
        case (.notIn, .list(let list)): SQLCondition("\(expression) NOT IN (?*)", [.texts(list)])
        case (.like, .string(let pattern)):
            SQLCondition("\(expression) LIKE ?", [.text(dialect.likePattern(pattern))])
        case (.iLike, .string(let pattern)):
            SQLCondition("LOWER(\(expression)) LIKE LOWER(?)", [.text(dialect.likePattern(pattern))])
        case (_, .string(let text)): SQLCondition("\(expression) \(comparator.rawValue) ?", [.text(text)])
        default: throw unsupported
        }
    }

    /// Compares a numeric expression with the comparison's value.
    package func compare(number expression: String) throws -> SQLCondition {
        switch value {
        case .integer(let number): SQLCondition("\(expression) \(comparator.rawValue) ?", [.integer(number)])
        case .number(let number): try compare(real: number, expression)
        default: throw unsupported
        }
    }

    /// Compares an expression that gives a floating-point number, so that both databases compare as such.
    package func compare(real expression: String) throws -> SQLCondition {
        guard let number = value.double else { throw unsupported }
        return try compare(real: number, expression)
    }

    private func compare(real number: Double, _ expression: String) throws -> SQLCondition {
        guard !number.isNaN else { return SQLCondition(comparator == .notEqual ? "1 = 1" : "1 = 0") }
        return SQLCondition("\(expression) \(comparator.rawValue) ?", [.real(number)])
    }

    /// The error for a comparison that the schema let through although nothing can be done with it.
    package var unsupported: RequestError {
        .invalid("The comparison of '\(key)' with \(comparator.rawValue) is not supported.")
    }
}
