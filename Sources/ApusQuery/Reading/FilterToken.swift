/// A lexical unit of a filter: what it is and where it stands.
struct FilterToken: Sendable {
    /// The lexical classes of the SQL dialect that MLflow reads filters with.
    enum Kind: Sendable, Equatable {
        /// A bare word, or text in backticks, acute accents or square brackets.
        case name
        /// Text in double quotes.
        case symbol
        /// Text in single quotes.
        case string
        case integer
        case float
        case hexadecimal
        /// A reserved word.
        case keyword
        /// `ASC` or `DESC`, with `NULLS FIRST` or `NULLS LAST` if they follow.
        case order
        /// The name of a column type.
        case type
        /// `=`, `!=`, `<`, …, `LIKE`, `ILIKE`, and others that no search allows.
        case comparison
        /// `+`, `-`, `/`, …
        case arithmetic
        /// `->` and `->>`.
        case arrow
        case wildcard
        case placeholder
        case comment
        case dot, comma, semicolon, colon, doubleColon, assignment
        case openParenthesis, closeParenthesis, openBracket, closeBracket
        /// A code point that nothing begins with.
        case unknown
    }

    let kind: Kind
    /// Code points in the source text; never empty.
    let range: Range<Int>
}
