/// One value that sums up a column; missing values are left out.
package enum ColumnStatistic: String, Sendable, CaseIterable {
    /// The part of rows whose value is missing, 0 to 1; 0 of no rows.
    case nullShare = "null_share"
    case minimum = "min"
    case maximum = "max"
    case mean
    /// The middle, or the mean of the two in the middle.
    case median
    /// Of the sample: the squares are divided by one less than their number.
    case standardDeviation = "std"
    /// 0 of no values.
    case sum
    /// How many different values there are.
    case distinctCount = "distinct"
    /// How many different values there are for each value that is not missing, 0 to 1; 0 of no values.
    case uniqueShare = "unique_share"
}
