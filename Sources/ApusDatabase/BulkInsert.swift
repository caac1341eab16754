/// Many rows for one table, held by column.
///
/// SQLite runs one prepared statement for each row; PostgreSQL receives each column as one array. Both are the
/// fastest way in that database, measured.
package struct BulkInsert: Sendable {
    /// The values of one column, one for each row.
    package enum Values: Sendable {
        case integers([Int64])
        case reals([Double])
        case texts([String])
        case blobs([[UInt8]])

        var count: Int {
            switch self {
            case .integers(let values): values.count
            case .reals(let values): values.count
            case .texts(let values): values.count
            case .blobs(let values): values.count
            }
        }
    }

    let table: String
    let columns: [(name: String, values: Values)]
    let conflict: String

    /// - Parameters:
    ///   - table: A name from our schema, never from a client.
    ///   - columns: Names from our schema, and equally many values for each.
    ///   - conflict: `ON CONFLICT …`, or empty. Rows of one call must not conflict with each other if it updates.
    package init(into table: String, _ columns: [(name: String, values: Values)], conflict: String) {
        self.table = table
        self.columns = columns
        self.conflict = conflict
    }

    /// The rows that every column has a value for.
    var rowCount: Int { columns.map(\.values.count).min() ?? 0 }

    func statement(for dialect: Dialect) -> String {
        let names = columns.map(\.name).joined(separator: ", ")
        switch dialect {
        case .sqlite:
            let places = columns.map { _ in "?" }.joined(separator: ", ")
            return "INSERT INTO \(table) (\(names)) VALUES (\(places)) \(conflict)"
        case .postgres:
            let arrays = columns.enumerated().map { index, column in
                switch column.values {
                case .integers: "$\(index + 1)::int8[]"
                case .reals: "$\(index + 1)::float8[]"
                case .texts: "$\(index + 1)::text[]"
                case .blobs: "$\(index + 1)::bytea[]"
                }
            }
            return "INSERT INTO \(table) (\(names)) SELECT * FROM unnest(\(arrays.joined(separator: ", "))) \(conflict)"
        }
    }
}
