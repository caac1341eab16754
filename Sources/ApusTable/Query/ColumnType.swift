/// What a column holds, coarsely.
package enum ColumnType: String, Sendable, CaseIterable {
    case boolean
    /// Integers of at most 64 bits with a sign.
    case integer
    /// Doubles, decimals and larger integers.
    case number
    case text
    case date
    /// Moments, in UTC where they had a time zone.
    case timestamp
    /// Times of day.
    case time
    /// Lists, structures, bytes, and columns that hold nothing at all.
    case other
}
