import ApusJSON
import ApusKernel

/// A table as a request gives it, before its columns have types.
struct CellTable {
    /// The columns' names; their indices as texts when there are none.
    let names: [String]
    /// Whether the request names its columns.
    let isNamed: Bool
    let rowCount: Int
    /// Whether each row has a value of its own, be it null, for each column.
    let isDense: Bool
    private let cells: Cells
    private let member: Member

    /// Where the table stands in the request.
    private enum Member {
        case split(String)
        case records(String)
        case csv
        case arrays([CellRange])
    }

    func column(_ index: Int) -> CellRange {
        switch member {
        case .split(let name): range(index, .split(member: name, column: index))
        case .records(let name): range(index, .records(member: name, name: names[index]))
        case .csv: range(index, .line(name: names[index]))
        case .arrays(let columns): columns[index]
        }
    }

    private func range(_ column: Int, _ place: CellRange.Place) -> CellRange {
        CellRange(cells: cells, start: column * rowCount, count: rowCount, place: place)
    }

    /// How many cells there are; refuses tables that claim far more than their text, of so many bytes, can hold.
    private static func count(_ columns: Int, _ rows: Int, bytes: Int) throws -> Int {
        let (count, isTooLarge) = columns.multipliedReportingOverflow(by: rows)
        guard !isTooLarge, count <= bytes + 65536 else {
            throw ServingError(.badRequest, "The table of \(rows) rows and \(columns) columns is nearly empty.")
        }
        return count
    }

    private static func refusal(_ message: String) -> ServingError {
        ServingError(.badRequest, "Invalid input. \(message)")
    }

    private static func checkNames(_ names: [String]) throws {
        guard names.count > 1 else { return }
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw refusal("Column '\(name)' is given twice.")
        }
    }

    // MARK: From JSON

    /// A table in pandas' `split` form: `columns`, `data`, `index`.
    ///
    /// Rows that are shorter than others are filled with null, as pandas does.
    ///
    /// Names that are likely to be the columns' are `known`, so that they need not be made anew; `bytes` is the size of
    /// the text.
    ///
    /// - Throws: ``ServingError`` `badRequest`.
    init(split value: JSONValue, member: String, known: KnownNames = KnownNames(), bytes: Int) throws {
        guard let members = value.members else {
            throw Self.refusal("Dataframe split format must be a dictionary. Got \(value.kind.pythonName).")
        }
        var columns: JSONValue?
        var data: JSONValue?
        var index: JSONValue?
        for item in members {
            if item.isNamed("data") {
                data = item.value
            } else if item.isNamed("columns") {
                columns = item.value
            } else if item.isNamed("index") {
                index = item.value
            } else {
                throw Self.refusal(
                    "Dataframe split format must have 'data' field and optionally 'columns' and 'index' fields. "
                        + "Got '\(item.name)'."
                )
            }
        }
        guard let data else {
            throw Self.refusal(
                "Dataframe split format must have 'data' field and optionally 'columns' and 'index' fields."
            )
        }
        let (names, areKnown) = try columns.flatMap { try Self.names($0, known: known, member) } ?? (nil, false)
        // Rows as objects are the other form.
        if data.elements?.first(where: { _ in true })?.kind == .object {
            self = try CellTable(records: data, member: "\(member).data", columns: names, known: known, bytes: bytes)
            return
        }
        var width = 0
        let rows = try data.forEachCell { cell in
            guard cell.kind == .array else {
                throw Self.refusal("\(member).data must be a list of rows, each a list of values.")
            }
            width = max(width, data.nested(cell).elementCount ?? 0)
        }
        guard let rows else { throw Self.refusal("\(member).data must be a list of rows.") }
        if let names, rows > 0, names.count != width {
            throw Self.refusal("\(names.count) columns passed, passed data had \(width) columns.")
        }
        if let length = index?.elementCount, length != rows {
            throw Self.refusal("Length of values (\(rows)) does not match length of index (\(length)).")
        }
        self.names = names ?? (0..<width).map { "\($0)" }
        isNamed = names != nil
        rowCount = rows
        self.member = .split(member)
        isDense = true
        if !areKnown { try Self.checkNames(self.names) }
        let count = try Self.count(self.names.count, rows, bytes: bytes)
        let cells = Cells(count: count, owner: value.owner, root: value)
        var row = 0
        data.forEachCell { list in
            var place = row
            data.nested(list).forEachCell { cell in
                cells.set(place, cell)
                place += rows
            }
            row += 1
        }
        self.cells = cells
    }

    private static func names(_ value: JSONValue, known: KnownNames, _ member: String) throws -> (
        names: [String], areKnown: Bool
    )? {
        guard !value.isNull else { return nil }
        guard let elements = value.elements else { throw refusal("\(member).columns must be a list of names.") }
        var names: [String] = []
        var areKnown = true
        for element in elements {
            let place = names.count
            if let bytes = element.bytes {
                if let name = known.name(at: place, bytes) {
                    names.append(name)
                    continue
                }
                names.append(String(decoding: bytes, as: UTF8.self))
            } else if element.kind == .array || element.kind == .object {
                throw refusal("\(member).columns[\(place)] must be a name.")
            } else {
                names.append(element.text)
            }
            areKnown = false
        }
        return (names, areKnown)
    }

    /// A table as a list of objects, whose members are its columns in the order of their first appearance.
    ///
    /// Only `columns` are taken, or all there are.
    ///
    /// - Throws: ``ServingError`` `badRequest`.
    init(
        records value: JSONValue,
        member: String,
        columns: [String]? = nil,
        known: KnownNames = KnownNames(),
        bytes: Int
    ) throws {
        guard let records = value.elements else {
            let found = value.kind == .object ? "dictionary" : "type \(value.kind.pythonName)"
            throw Self.refusal("Dataframe records format must be a list of records. Got \(found).")
        }
        var names = columns ?? []
        // Made only when names come in another order than before.
        var places: [String: Int]?
        var areKnown = columns == nil
        /// Column, row and value of what was found, since the number of columns shows only at the end.
        var found: [(column: Int, cell: JSONCell)] = []
        var ends: [Int] = []
        for record in records {
            guard let members = record.members else {
                throw Self.refusal("\(member)[\(ends.count)] must be an object.")
            }
            var next = 0
            for item in members {
                let name = item.nameBytes
                let column: Int
                if next < names.count, KnownNames.isEqual(names[next], name) {
                    column = next
                } else if areKnown, next == names.count, let text = known.name(at: next, name) {
                    column = next
                    names.append(text)
                } else {
                    areKnown = false
                    if places == nil {
                        places = [:]
                        for (place, name) in names.enumerated() { places?[name] = place }
                    }
                    let text = String(decoding: name, as: UTF8.self)
                    if let place = places?[text] {
                        column = place
                    } else if columns == nil {
                        column = names.count
                        places?[text] = column
                        names.append(text)
                    } else {
                        continue
                    }
                }
                next = column + 1
                found.append((column, item.value.cell))
            }
            ends.append(found.count)
        }
        self.names = names
        isNamed = true
        rowCount = ends.count
        self.member = .records(member)
        try Self.checkNames(columns ?? [])
        let count = try Self.count(names.count, ends.count, bytes: bytes)
        isDense = found.count == count
        let cells = Cells(count: count, owner: value.owner, root: value)
        var start = 0
        for (row, end) in ends.enumerated() {
            for (column, cell) in found[start..<end] { cells.set(column * rowCount + row, cell) }
            start = end
        }
        self.cells = cells
    }

    // MARK: From elsewhere

    /// A table of cells that were read column by column.
    init(csv names: [String], rowCount: Int, cells: Cells) throws {
        try Self.checkNames(names)
        self.names = names
        isNamed = true
        self.rowCount = rowCount
        self.cells = cells
        member = .csv
        isDense = true
    }

    /// A table of columns that were read one by one, all of one length.
    init(columns: [CellRange], names: [String], isNamed: Bool) {
        self.names = names
        self.isNamed = isNamed
        rowCount = columns.first?.count ?? 0
        cells = Cells(count: 0, owner: nil)
        member = .arrays(columns)
        isDense = true
    }

    /// The rows of an array of two dimensions, or of one that is the only column.
    ///
    /// - Returns: Nil when there are more dimensions, or none.
    init?(_ array: CellArray, path: String) {
        guard array.shape.count == 1 || array.shape.count == 2 else { return nil }
        let rows = array.shape[0]
        let columns = array.shape.count == 2 ? array.shape[1] : 1
        let source = array.cells
        let cells = Cells(count: source.count, owner: source.cells.owner, root: source.cells.root)
        for row in 0..<rows {
            for column in 0..<columns {
                let place = row * columns + column
                cells.set(column * rows + row, source.kind(place), source.word(place))
            }
        }
        names = (0..<columns).map { "\($0)" }
        isNamed = false
        rowCount = rows
        isDense = true
        self.cells = cells
        member = .arrays(
            (0..<columns).map {
                CellRange(cells: cells, start: $0 * rows, count: rows, place: .matrix(path: path, column: $0))
            }
        )
    }

    /// All cells, row by row.
    var rowMajor: CellRange {
        let cells = Cells(count: rowCount * names.count, owner: cells.owner, root: cells.root)
        for index in names.indices {
            let column = column(index)
            for row in 0..<rowCount { cells.set(row * names.count + index, column.kind(row), column.word(row)) }
        }
        return CellRange(
            cells: cells,
            start: 0,
            count: cells.count,
            place: .array(path: .whole(path), shape: [rowCount, names.count])
        )
    }

    private var path: String {
        switch member {
        case .split(let name): "\(name).data"
        case .records(let name): name
        case .csv: "rows"
        case .arrays: "inputs"
        }
    }
}
