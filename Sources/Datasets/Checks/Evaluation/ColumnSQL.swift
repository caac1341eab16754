import ApusTable

/// A column in SQL, with what missing and equal mean for its type.
struct ColumnSQL: Sendable {
    let column: TableColumn
    /// Whether the column holds nothing at all, so that its type says nothing; it is then taken for one of numbers.
    private let isEmpty: Bool

    init(_ column: TableColumn, isEmpty: Bool = false) {
        self.column = isEmpty ? TableColumn(name: column.name, type: .number, sqlType: "DOUBLE") : column
        self.isEmpty = isEmpty
    }

    var name: String { isEmpty ? "CAST(NULL AS DOUBLE)" : SQLText.identifier(column.name) }

    /// Whether values may be NaN.
    var isFloating: Bool { ["DOUBLE", "FLOAT", "REAL"].contains(column.sqlType.uppercased()) }

    var isNumber: Bool { column.type == .integer || column.type == .number }

    var isMissing: String { isFloating ? "(\(name) IS NULL OR isnan(\(name)))" : "\(name) IS NULL" }

    var isPresent: String { isFloating ? "(\(name) IS NOT NULL AND NOT isnan(\(name)))" : "\(name) IS NOT NULL" }

    /// The value, NULL for every kind of missing.
    var value: String { isFloating ? "CASE WHEN isnan(\(name)) THEN NULL ELSE \(name) END" : name }

    /// The value as a double; of truth values 0 and 1.
    ///
    /// - Throws: ``CheckFault`` for what is no number.
    func number() throws(CheckFault) -> String {
        switch column.type {
        case .integer, .boolean: return "CAST(\(name) AS DOUBLE)"
        case .number: return isFloating ? value : "CAST(\(name) AS DOUBLE)"
        default: throw CheckFault("column '\(column.name)' holds \(described), and numbers are needed")
        }
    }

    /// The value as text; truth values as Python writes them.
    var text: String {
        switch column.type {
        case .text: name
        case .boolean: "CASE WHEN \(name) THEN 'True' ELSE 'False' END"
        default: "CAST(\(name) AS VARCHAR)"
        }
    }

    /// How the value is answered, in a form that every engine's answer keeps.
    var shown: String {
        switch column.type {
        case .integer, .boolean, .text: name
        case .number: isFloating ? name : "CAST(\(name) AS DOUBLE)"
        default: "CAST(\(name) AS VARCHAR)"
        }
    }

    /// What the column holds, for people.
    var described: String { "\(Self.words[column.type] ?? "values") (\(column.sqlType))" }

    private static let words: [ColumnType: String] = [
        .boolean: "truth values", .integer: "integers", .number: "numbers", .text: "texts", .date: "dates",
        .timestamp: "timestamps", .time: "times", .other: "other values",
    ]

    /// A value that can be equal to one of the column; nil when none ever is: a text is no number.
    func literal(_ value: TableValue) -> String? {
        switch (column.type, value) {
        case (.integer, .integer), (.integer, .number), (.number, .integer), (.number, .number), (.text, .text):
            SQLText.value(value)
        case (.integer, .boolean(let flag)), (.number, .boolean(let flag)): flag ? "1" : "0"
        case (.boolean, .boolean): SQLText.value(value)
        case (.boolean, .integer(0)), (.boolean, .number(0)): "FALSE"
        case (.boolean, .integer(1)), (.boolean, .number(1)): "TRUE"
        case (.date, .text(let text)), (.timestamp, .text(let text)), (.time, .text(let text)):
            "TRY_CAST(\(SQLText.string(text)) AS \(moment))"
        case (.other, .text(let text)): "TRY_CAST(\(SQLText.string(text)) AS \(column.sqlType))"
        default: nil
        }
    }

    /// The type of a date or time that is compared with the column.
    private var moment: String {
        column.type == .time ? "TIME" : column.sqlType.uppercased().contains("TIME ZONE") ? "TIMESTAMPTZ" : "TIMESTAMP"
    }

    /// Whether the value is one of these, as a condition that is NULL only for NULL.
    func isIn(_ values: [TableValue]) -> String {
        let literals = values.compactMap(literal)
        return literals.isEmpty ? "FALSE" : "\(name) IN (\(literals.joined(separator: ", ")))"
    }

    /// Whether an expression of the column's type lies between bounds.
    ///
    /// - Throws: ``CheckFault`` for bounds that it cannot be compared with.
    func isBetween(_ bounds: ValueBounds, _ expression: String) throws(CheckFault) -> String {
        var parts: [String] = []
        if let lower = bounds.lower {
            parts.append("\(expression) \(bounds.isLowerStrict ? ">" : ">=") \(try bound(lower))")
        }
        if let upper = bounds.upper {
            parts.append("\(expression) \(bounds.isUpperStrict ? "<" : "<=") \(try bound(upper))")
        }
        return parts.isEmpty ? "TRUE" : "(\(parts.joined(separator: " AND ")))"
    }

    private func bound(_ value: TableValue) throws(CheckFault) -> String {
        switch (column.type, value) {
        case (.integer, .integer), (.integer, .number), (.number, .integer), (.number, .number), (.text, .text):
            return SQLText.value(value)
        case (.boolean, .integer), (.boolean, .number): return SQLText.value(value)
        // What is no date is told by the query's error.
        case (.date, .text(let text)), (.timestamp, .text(let text)), (.time, .text(let text)):
            return "CAST(\(SQLText.string(text)) AS \(moment))"
        default:
            let kind = value.double == nil ? "a text" : "a number"
            throw CheckFault("column '\(column.name)' holds \(described), and the bound \(value.shown) is \(kind)")
        }
    }
}
