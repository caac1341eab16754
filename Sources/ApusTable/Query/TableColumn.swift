/// A column of a table.
package struct TableColumn: Sendable, Hashable {
    package let name: String
    package let type: ColumnType
    /// DuckDB's own name of the type, such as `BIGINT` or `DECIMAL(18,3)`.
    package let sqlType: String

    package init(name: String, type: ColumnType, sqlType: String) {
        self.name = name
        self.type = type
        self.sqlType = sqlType
    }
}
