import ApusSketch
import ApusTable
import Datasets

/// A small table that can be asked by SQL, and whose profile is made here.
struct SampleTable {
    let columns: [(name: String, type: ColumnType, values: [TableValue])]

    private static let sqlTypes: [ColumnType: String] = [
        .integer: "BIGINT", .number: "DOUBLE", .text: "VARCHAR", .timestamp: "TIMESTAMP", .boolean: "BOOLEAN",
    ]

    private func sqlType(_ type: ColumnType) -> String { Self.sqlTypes[type] ?? "VARCHAR" }

    /// A query that gives the rows.
    var query: String {
        let names = columns.map { SQLText.identifier($0.name) }
        let count = columns.first?.values.count ?? 0
        guard count > 0 else {
            let empty = columns.map { "CAST(NULL AS \(sqlType($0.type))) AS \(SQLText.identifier($0.name))" }
            return "SELECT \(empty.joined(separator: ", ")) WHERE FALSE"
        }
        let rows = (0..<count).map { row in "(\(columns.map { SQLText.value($0.values[row]) }.joined(separator: ", ")))"
        }
        let casts = columns.map {
            "CAST(\(SQLText.identifier($0.name)) AS \(sqlType($0.type))) AS \(SQLText.identifier($0.name))"
        }
        return
            "SELECT \(casts.joined(separator: ", ")) FROM (VALUES \(rows.joined(separator: ", "))) AS t(\(names.joined(separator: ", ")))"
    }

    /// The profile; short sketches err sooner.
    func profile(quantileLength: Int = 200, frequentCapacity: Int = 128) -> TableProfile {
        var profile = TableProfile()
        profile.rowCount = columns.first?.values.count ?? 0
        profile.columns = columns.map { column in
            var result = ColumnProfile(name: column.name, type: column.type, sqlType: sqlType(column.type))
            result.count = column.values.count
            result.frequent = FrequentItems(capacity: frequentCapacity)
            if column.type == .integer || column.type == .number {
                result.moments = Moments()
                result.quantiles = QuantileSketch(k: quantileLength)
            }
            if column.type == .text { result.lengths = Moments() }
            for value in column.values { Self.add(value, to: &result) }
            return result
        }
        return profile
    }

    private static func add(_ value: TableValue, to column: inout ColumnProfile) {
        switch value {
        case .null: column.missing += 1
        case .integer(let number):
            column.frequent?.add("\(number)")
            add(Double(number), value, to: &column)
        case .number(let number):
            guard !number.isNaN else { return column.nanCount += 1 }
            column.frequent?.add("\(number)")
            add(number, value, to: &column)
        case .boolean(let flag): column.frequent?.add("\(flag)")
        case .text(let text):
            column.frequent?.add(text)
            column.lengths?.add(Double(text.unicodeScalars.count))
            let bytes = Array(text.utf8)
            bytes.withUnsafeBytes { column.distinct.add($0) }
            func precedes(_ left: TableValue?, _ right: String) -> Bool {
                guard case .text(let left)? = left else { return false }
                return left.utf8.lexicographicallyPrecedes(right.utf8)
            }
            if column.minimum == nil || !precedes(column.minimum, text) { column.minimum = value }
            if column.maximum == nil || precedes(column.maximum, text) { column.maximum = value }
        }
    }

    private static func add(_ number: Double, _ value: TableValue, to column: inout ColumnProfile) {
        column.distinct.add(number)
        column.moments?.add(number)
        column.quantiles?.add(number)
        if number.isInfinite { column.infiniteCount += 1 }
        if (column.minimum?.double).map({ number < $0 }) ?? true { column.minimum = value }
        if (column.maximum?.double).map({ number > $0 }) ?? true { column.maximum = value }
    }
}
