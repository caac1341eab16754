package import ApusTable

/// Names of types, as suites have them.
package enum TypeNames {
    /// Whether a column has the type that is called so: a ``ColumnType``, a name of DuckDB, pandas, numpy or Python.
    ///
    /// Names of other systems tell the kind of values: `int32` is any integer.
    package static func matches(_ column: TableColumn, _ name: String) -> Bool {
        let name = name.trimmed
        if let type = ColumnType(rawValue: name.lowercased()) { return type == column.type }
        let sqlType = column.sqlType.lowercased()
        if name.lowercased() == sqlType { return true }
        // `DECIMAL` is any of its widths.
        if let open = sqlType.firstIndex(of: "("), sqlType[..<open] == name.lowercased()[...] { return true }
        return kinds[name.lowercased()] == column.type
    }

    /// Whether the name means anything.
    package static func isKnown(_ name: String) -> Bool {
        let name = name.trimmed.lowercased()
        return ColumnType(rawValue: name) != nil || kinds[name] != nil
            || sqlTypes.contains(String(name.prefix { $0 != "(" && $0 != "[" }))
    }

    private static let kinds: [String: ColumnType] = {
        var kinds: [String: ColumnType] = [:]
        let names: [(ColumnType, String)] = [
            (.integer, "int int_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 int8dtype int16dtype int32dtype"),
            (.integer, "int64dtype uint8dtype uint16dtype uint32dtype uint64dtype intc longtype integertype"),
            (
                .number,
                "float float_ float16 float32 float64 float32dtype float64dtype doubletype floattype decimaltype"
            ),
            (.text, "str str_ string string_ stringdtype object object_ stringtype category categoricaldtype"),
            (.boolean, "bool bool_ booleandtype booleantype"),
            (
                .timestamp,
                "datetime datetime64 datetime64[ns] datetime64[us] datetime64[ms] datetime64[s] timestamptype"
            ),
            (.date, "datetype datetime.date"),
        ]
        for (type, list) in names { for name in list.split(separator: " ") { kinds[String(name)] = type } }
        return kinds
    }()

    private static let sqlTypes: Set<String> = [
        "bigint", "integer", "smallint", "tinyint", "hugeint", "ubigint", "uinteger", "usmallint", "utinyint",
        "uhugeint",
        "double", "float", "real", "decimal", "numeric", "varchar", "boolean", "date", "time", "timestamp", "blob",
        "uuid",
        "interval", "json", "timestamp with time zone", "timestamp_s", "timestamp_ms", "timestamp_ns", "struct", "map",
        "list", "enum", "bit",
    ]
}

extension String {
    fileprivate var trimmed: String {
        let kept = drop { $0 == " " }
        return String(kept.reversed().drop { $0 == " " }.reversed())
    }
}
