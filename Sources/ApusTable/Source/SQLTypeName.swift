/// DuckDB's names of types.
enum SQLTypeName {
    /// What a column of that type holds.
    static func type(_ name: String) -> ColumnType {
        let base = name.prefix { $0 != "(" && $0 != "[" }
        guard !name.hasSuffix("]") else { return .other }
        return switch base {
        case "BOOLEAN": .boolean
        case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER": .integer
        case "FLOAT", "DOUBLE", "DECIMAL", "UBIGINT", "HUGEINT", "UHUGEINT": .number
        case "VARCHAR", "ENUM", "UUID", "CHAR", "TEXT": .text
        case "DATE": .date
        case "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE": .timestamp
        case "TIME", "TIME_NS": .time
        default: .other
        }
    }

    /// Whether values have no fraction, whatever their size.
    static func isWhole(_ name: String) -> Bool {
        type(name) == .integer || ["UBIGINT", "HUGEINT", "UHUGEINT"].contains(name)
    }
}
