/// The answer of one query, whole in memory.
package struct TableRows: Sendable, Equatable {
    /// The names of the columns, in order; a name may come twice.
    package let columns: [String]
    /// As many values in each row as there are columns.
    package let rows: [[TableValue]]

    package init(columns: [String], rows: [[TableValue]]) {
        self.columns = columns
        self.rows = rows
    }
}
