internal import ApusJSON

/// Reads a query's answer: a line for each column, a line that ends them, and a line for each row, in JSON,
/// whose values are texts.
struct RowReader {
    private let output: ChildOutput
    private let rowLimit: Int
    private var bytesLeft: Int

    init(_ output: ChildOutput, rowLimit: Int, byteLimit: Int) {
        self.output = output
        self.rowLimit = rowLimit
        bytesLeft = byteLimit
    }

    /// - Throws: ``TableError`` `badQuery` for an answer that is too large.
    mutating func read() throws -> TableRows {
        var names: [String] = []
        var types: [ColumnType] = []
        while true {
            guard let object = try next()?.root else { throw ChildOutput.Failure.truncated }
            guard let name = object["column_name"]?.string else { break }
            names.append(name)
            let type = object["column_type"]?.string ?? ""
            types.append(SQLTypeName.isWhole(type) ? .integer : SQLTypeName.type(type))
        }
        var rows: [[TableValue]] = []
        while let object = try next()?.root {
            guard rows.count < rowLimit else {
                throw TableError(.badQuery, "The query returns more than \(rowLimit) rows.")
            }
            guard let members = object.members else { throw ChildOutput.Failure.truncated }
            var row: [TableValue] = []
            row.reserveCapacity(types.count)
            for member in members where row.count < types.count {
                row.append(Self.value(member.value.string, types[row.count]))
            }
            guard row.count == types.count else { throw ChildOutput.Failure.truncated }
            rows.append(row)
        }
        return TableRows(columns: names, rows: rows)
    }

    private mutating func next() throws -> JSONDocument? {
        var taken = 0
        let document = try output.withLine { line in
            taken = line.count
            return try JSONDocument(parsing: line)
        }
        bytesLeft -= taken
        guard bytesLeft >= 0 else { throw TableError(.badQuery, "The query's answer is too large.") }
        return document
    }

    /// A value from its text.
    private static func value(_ text: String?, _ type: ColumnType) -> TableValue {
        guard let text else { return .null }
        switch type {
        case .boolean: return .boolean(text == "true")
        case .integer:
            // Sums are of 128 bits.
            return Int64(text).map(TableValue.integer) ?? Double(text).map(TableValue.number) ?? .text(text)
        case .number: return Double(text).map(TableValue.number) ?? .text(text)
        default: return .text(text)
        }
    }
}
