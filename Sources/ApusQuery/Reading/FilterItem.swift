/// A token, or neighbouring tokens that belong together.
struct FilterItem: Sendable {
    /// What an item can stand for.
    enum Kind: Sendable, Equatable {
        /// A name, or names and indices joined by dots.
        case identifier
        /// A name and what stands in parentheses behind it.
        case call
        case parenthesis
        case brackets
        /// Operands joined by arithmetic.
        case operation
        /// A type's name and a text, such as `date '2025-01-01'`.
        case typedText
        /// A whole comparison.
        case clause(FilterClause)
        /// Items joined by commas.
        case list
        /// A single token of any other kind.
        case token(FilterToken.Kind)
    }

    let kind: Kind
    /// Code points in the source text.
    let range: Range<Int>
    /// The indices of the item's tokens.
    let tokens: Range<Int>

    /// Joins this item with those up to `last`.
    func joined(upTo last: FilterItem, as kind: Kind) -> FilterItem {
        FilterItem(
            kind: kind,
            range: range.lowerBound..<max(range.upperBound, last.range.upperBound),
            tokens: tokens.lowerBound..<max(tokens.upperBound, last.tokens.upperBound)
        )
    }

    var clause: FilterClause? {
        if case .clause(let clause) = kind { clause } else { nil }
    }

    /// Whether the item is one token of the given kind.
    func isToken(_ kind: FilterToken.Kind) -> Bool { self.kind == .token(kind) }

    /// Whether the item is a number.
    var isNumber: Bool { isToken(.integer) || isToken(.float) || isToken(.hexadecimal) }
}
