package import ApusTable

/// What is expected of each row, looking at several columns.
package enum RowTest: Sendable, Hashable {
    /// No other row has the same values in all the columns; missing ones are equal to each other.
    case unique
    /// The first is more than the second.
    case greater(orEqual: Bool)
    /// All are equal.
    case equal
    /// The two are one of these pairs.
    case inPairs([[TableValue]])
    /// The values are all different.
    case different
    case sum(Double)
}

/// Which rows a test over several columns leaves out.
package enum MissingRule: String, Sendable, CaseIterable {
    /// Those in which all the columns are missing.
    case all
    /// Those in which any is missing.
    case any
    /// None: a value that is missing then fails.
    case none
}
