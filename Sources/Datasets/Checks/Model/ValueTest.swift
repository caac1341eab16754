package import ApusTable

/// What is expected of each value of a column.
package enum ValueTest: Sendable, Hashable {
    case notNull
    case null
    /// No other row has the value.
    case unique
    case between(ValueBounds)
    case inSet([TableValue])
    case notInSet([TableValue])
    /// A pattern is found somewhere in the value as text; RE2's syntax.
    case matches([String], Quantifier)
    /// None of the patterns is found.
    case notMatches([String])
    /// SQL's LIKE, with `%` and `_`.
    case like([String], Quantifier)
    case notLike([String])
    /// Characters, which are Unicode scalars.
    case length(ValueBounds)
    /// As `strptime` of Python and DuckDB has them, such as `%Y-%m-%d`.
    case dateFormat(String)
    /// Can be read as a date or time in one of ``DateFormats``.
    case date
    case json
    /// Not less than the one before, by the number of the row; more than that one if strictly.
    case increasing(strictly: Bool)
    case decreasing(strictly: Bool)
    /// Less than so many standard deviations above the mean, or also below it if on both sides.
    case zScore(Double, bothSides: Bool)
    /// The value stands in a column of another table.
    case refersTo(table: String, column: String)

    /// How many of several patterns must fit.
    package enum Quantifier: String, Sendable, CaseIterable { case any, all }
}
