package import ApusSketch
package import ApusTable

/// What is known about a column.
package struct ColumnProfile: Sendable, Equatable {
    package var name: String
    package var type: ColumnType
    /// DuckDB's own name of the type.
    package var sqlType: String
    /// Rows, missing values included.
    package var count = 0
    /// Values that are NULL.
    package var missing = 0
    /// Of numbers only, as the four that follow.
    package var nanCount = 0
    package var infiniteCount = 0
    package var zeroCount = 0
    package var negativeCount = 0
    /// Texts without a character.
    package var emptyCount = 0
    /// The least value, exact; texts by their bytes, dates and times as ISO 8601.
    ///
    /// Nil for none. Of texts of more than 256 bytes only the beginning.
    package var minimum: TableValue?
    /// The largest value, like ``minimum``.
    package var maximum: TableValue?
    package var distinct = HyperLogLog()
    /// Of numbers, integers too.
    package var moments: Moments?
    /// Of numbers, and of dates and timestamps in seconds since 1970.
    package var quantiles: QuantileSketch?
    /// The most frequent values as texts.
    package var frequent: FrequentItems?
    /// The lengths of texts in characters, which are Unicode scalars.
    package var lengths: Moments?

    package init(name: String, type: ColumnType, sqlType: String) {
        self.name = name
        self.type = type
        self.sqlType = sqlType
    }
}
