package import ApusTable

/// What is expected of a table.
///
/// Missing is a value that is NULL or, of floating-point numbers, NaN.
package enum Expectation: Sendable, Hashable {
    /// Of each value of a column; missing values are left out but where the test is about them.
    case values(column: String, ValueTest)
    /// Of one number or value that sums up a column.
    case statistic(column: String, ColumnStatistic, ValueBounds)
    case quantiles(column: String, [QuantileBounds], QuantileInterpolation)
    /// Of the set of a column's values.
    case distinct(column: String, SetRelation, [TableValue])
    /// The most frequent value is one of these; if `ties` it is enough that one of several is.
    case mostCommon(column: String, [TableValue], ties: Bool)
    /// The column has one of these types: a ``ColumnType``, or a name of DuckDB such as `DECIMAL(18,3)`.
    case type(column: String, [String])
    /// The column is there, at this place from 0 if one is given.
    case exists(column: String, position: Int?)
    /// The latest time is not older than so many seconds when the check is run; times without a zone are UTC.
    case fresh(column: String, seconds: Double)
    /// The column is spread as in another table.
    case drift(column: String, DriftTest)
    /// Of each row, looking at several columns.
    case rows(columns: [String], RowTest, MissingRule)
    case table(TableTest)
}

extension Expectation {
    /// The columns it looks at.
    package var columns: [String] {
        switch self {
        case .values(let column, _), .statistic(let column, _, _), .quantiles(let column, _, _),
            .distinct(let column, _, _), .mostCommon(let column, _, _), .type(let column, _), .exists(let column, _),
            .fresh(let column, _), .drift(let column, _):
            [column]
        case .rows(let columns, _, _): columns
        case .table: []
        }
    }

    /// The other table it needs.
    package var reference: String? {
        switch self {
        case .values(_, .refersTo(let table, _)): table
        case .drift(_, let test): test.reference
        case .table(.sameSchema(let table)), .table(.sameRowCount(let table)): table
        default: nil
        }
    }

    /// Whether rows are judged one by one, so that some may fail and ``Check/mostly`` means something.
    package var isAboutRows: Bool {
        switch self {
        case .values, .rows: true
        default: false
        }
    }
}
