/// The words of suites for what is expected.
enum CheckWord: String, CaseIterable {
    // Values of a column
    case notNull = "not_null"
    case null
    case unique
    case between
    case inSet = "in"
    case notInSet = "not_in"
    case matches
    case notMatches = "not_matches"
    case like
    case notLike = "not_like"
    case length
    case dateFormat = "date_format"
    case date
    case json
    case increasing
    case decreasing
    case zScore = "z_score"
    case refersTo = "refers_to"
    // A column as a whole
    case nullShare = "null_share"
    case min
    case max
    case mean
    case median
    case std
    case sum
    case distinct
    case uniqueShare = "unique_share"
    case quantiles
    case distinctContain = "distinct_contain"
    case distinctEqual = "distinct_equal"
    case distinctIn = "distinct_in"
    case mostCommonIn = "most_common_in"
    case type
    case exists
    case fresh
    case drift
    // Several columns
    case uniqueTogether = "unique_together"
    case greater
    case equal
    case pairIn = "pair_in"
    case different
    case sumEquals = "sum_equals"
    // The table
    case rows
    case columnCount = "column_count"
    case columnList = "column_list"
    case columnSet = "column_set"
    case sameSchema = "same_schema"
    case sameRows = "same_rows"
    case duplicates
    case sql

    /// What the word is said of.
    enum Subject {
        case table, column, pair
        case columns(least: Int)
    }

    var subject: Subject {
        switch self {
        case .uniqueTogether: .columns(least: 1)
        case .equal, .different, .sumEquals: .columns(least: 2)
        case .greater, .pairIn: .pair
        case .rows, .columnCount, .columnList, .columnSet, .sameSchema, .sameRows, .duplicates, .sql: .table
        default: .column
        }
    }
}
