import ApusSketch
import ApusTable

extension TableProfile {
    /// Adds what another part of the table has.
    ///
    /// A column that only one part has is missing in all rows of the other.
    package mutating func merge(_ other: TableProfile) {
        guard !columns.isEmpty else {
            let rows = rowCount
            self = other
            rowCount = Self.sum(rowCount, rows)
            for place in columns.indices { columns[place].addMissing(rows) }
            return
        }
        var others: [String: ColumnProfile] = [:]
        for column in other.columns { others[column.name] = column }
        for place in columns.indices {
            if let column = others.removeValue(forKey: columns[place].name) {
                columns[place].merge(column)
            } else {
                columns[place].addMissing(other.rowCount)
            }
        }
        for var column in other.columns where others[column.name] != nil {
            column.addMissing(rowCount)
            columns.append(column)
        }
        mergeSample(other)
        rowCount = Self.sum(rowCount, other.rowCount)
    }

    /// Counts end at 2^60, so that no sum of them overflows.
    static func sum(_ left: Int, _ right: Int) -> Int { min(1 << 60, left + right) }

    /// The columns that both have.
    private mutating func mergeSample(_ other: TableProfile) {
        let common = sampleColumns.filter(Set(other.sampleColumns).contains)
        let names = sampleColumns
        if common != names { sample = sample.map { Self.picked(common, of: names, $0) } }
        sample.merge(other.sample.map { Self.picked(common, of: other.sampleColumns, $0) })
        sampleColumns = common
    }

    private static func picked(_ names: [String], of columns: [String], _ row: [Double]) -> [Double] {
        names.map { name in columns.firstIndex(of: name).map { row[$0] } ?? .nan }
    }
}

extension ColumnProfile {
    /// Adds rows that have no value.
    mutating func addMissing(_ rows: Int) {
        count = TableProfile.sum(count, rows)
        missing = TableProfile.sum(missing, rows)
    }

    /// Adds what another part of the column has.
    ///
    /// Integers and other numbers are numbers together, dates and timestamps are timestamps; of other types together only
    /// counts are kept. A part without values has no say about the type.
    mutating func merge(_ other: ColumnProfile) {
        guard other.missing < other.count else { return addMissing(other.count) }
        guard missing < count else {
            let rows = count
            let name = name
            self = other
            self.name = name
            return addMissing(rows)
        }
        let isAlike = unifyType(other)
        count = TableProfile.sum(count, other.count)
        missing = TableProfile.sum(missing, other.missing)
        nanCount = TableProfile.sum(nanCount, other.nanCount)
        infiniteCount = TableProfile.sum(infiniteCount, other.infiniteCount)
        zeroCount = TableProfile.sum(zeroCount, other.zeroCount)
        negativeCount = TableProfile.sum(negativeCount, other.negativeCount)
        emptyCount = TableProfile.sum(emptyCount, other.emptyCount)
        distinct.merge(other.distinct)
        frequent = Self.merged(frequent, other.frequent)
        lengths = isAlike ? Self.merged(lengths, other.lengths) : nil
        moments = isAlike ? Self.merged(moments, other.moments) : nil
        quantiles = isAlike ? Self.merged(quantiles, other.quantiles) : nil
        minimum = isAlike ? Self.extreme(minimum, other.minimum, type) { $0 < $1 } : nil
        maximum = isAlike ? Self.extreme(maximum, other.maximum, type) { $0 > $1 } : nil
    }

    /// Whether both types are one; takes the one that holds both.
    private mutating func unifyType(_ other: ColumnProfile) -> Bool {
        if type == other.type {
            if sqlType != other.sqlType, type == .integer { sqlType = "BIGINT" }
            return true
        }
        switch Set([type, other.type]) {
        case [.integer, .number]: (type, sqlType) = (.number, "DOUBLE")
        case [.date, .timestamp]: (type, sqlType) = (.timestamp, "TIMESTAMP")
        default:
            (type, sqlType) = (.other, "VARCHAR")
            return false
        }
        return true
    }

    private static func merged<S: Sketch>(_ left: S?, _ right: S?) -> S? {
        guard var left, let right else { return nil }
        left.merge(right)
        return left
    }

    /// The value that comes before the other one; of integers and numbers together the number.
    private static func extreme(
        _ left: TableValue?,
        _ right: TableValue?,
        _ type: ColumnType,
        _ comesFirst: (Order, Order) -> Bool
    ) -> TableValue? {
        guard let left else { return right }
        guard let right else { return left }
        let first = comesFirst(Order(right), Order(left)) ? right : left
        if type == .number, case .integer(let value) = first { return .number(Double(value)) }
        return first
    }

    /// Values in order.
    private struct Order: Comparable {
        let value: TableValue

        init(_ value: TableValue) {
            self.value = value
        }

        static func < (left: Order, right: Order) -> Bool {
            switch (left.value, right.value) {
            case (.integer(let a), .integer(let b)): a < b
            case (.number(let a), .number(let b)): a < b
            case (.integer(let a), .number(let b)): Double(a) < b
            case (.number(let a), .integer(let b)): a < Double(b)
            case (.boolean(let a), .boolean(let b)): !a && b
            case (.text(let a), .text(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
            default: false
            }
        }
    }
}
