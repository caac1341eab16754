/// What is expected of a table as a whole.
package enum TableTest: Sendable, Hashable {
    case rowCount(ValueBounds)
    case columnCount(ValueBounds)
    /// These columns in this order, and no others.
    case columnList([String])
    /// These columns in any order, and no others if `exact`.
    case columnSet([String], exact: Bool)
    /// Names, order and types of another table's columns.
    case sameSchema(as: String)
    case sameRowCount(as: String)
    /// How many rows are equal to an earlier row in all columns.
    case duplicates(ValueBounds)
    /// A query over the relation `data` finds no rows.
    case noRows(sql: String)
}
