/// One consistent view of a database that is not ours, of which nothing can be changed.
///
/// Calls block, so they belong on a thread that may. Rows are handed on one by one, so memory is that of the largest row.
/// All functions throw ``ForeignDatabaseError`` with the database's own words, which are for the person who named the
/// database, and `CancellationError`.
package protocol ForeignSnapshot: AnyObject {
    /// The columns that a query gives, in order.
    ///
    /// Throws also when two have one name, as no reader of the rows could tell them apart.
    func columns(of query: ForeignQuery) throws -> [ForeignColumn]

    /// The greatest value of a column by the database's own order, or nil when it has none but NULL.
    func greatest(_ column: ForeignColumn, of query: ForeignQuery) throws -> ForeignMark?

    /// How many rows there are within bounds.
    func count(_ query: ForeignQuery, _ bounds: [ForeignBound]) throws -> Int64

    /// Calls `body` with each row within bounds as a line with its end, in no order.
    func forEachRow(
        _ query: ForeignQuery,
        _ columns: [ForeignColumn],
        _ bounds: [ForeignBound],
        as format: ForeignFormat,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws
}

/// What is read from a database.
package enum ForeignQuery: Sendable, Hashable {
    /// A table or view; a schema may stand before it, as in `sales.orders`.
    case table(String)
    /// One statement that gives rows.
    case statement(String)

    /// The SQL of the query, made safe to stand in parentheses on lines of its own.
    var sql: String {
        switch self {
        case .table(let name):
            return "SELECT * FROM " + Self.segments(of: name).map(Self.quoted).joined(separator: ".")
        case .statement(let text):
            var text = text[...]
            while let last = text.last, last.isWhitespace || last == ";" { text.removeLast() }
            return String(text)
        }
    }

    /// A name as SQL writes it, whatever characters it has.
    static func quoted(_ name: String) -> String {
        "\"" + name.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
    }

    /// Splits at dots; a segment in double quotes may have dots.
    package static func segments(of name: String) -> [String] {
        var segments = [""]
        var isQuoted = false
        for character in name {
            switch character {
            case "\"": isQuoted.toggle()
            case "." where !isQuoted: segments.append("")
            default: segments[segments.count - 1].append(character)
            }
        }
        return segments
    }
}

/// A column of a query.
package struct ForeignColumn: Sendable, Hashable {
    package let name: String
    /// The number of its type in PostgreSQL; 0 in SQLite, where each value has its own.
    package let typeID: UInt32

    package init(name: String, typeID: UInt32 = 0) {
        self.name = name
        self.typeID = typeID
    }
}

/// A value of a column, as text that the database reads back as the same value.
package struct ForeignMark: Sendable, Hashable {
    /// Its type: that of the column in PostgreSQL, `integer`, `real` or `text` in SQLite.
    package let type: String
    package let text: String

    package init(type: String, text: String) {
        self.type = type
        self.text = text
    }
}

/// What must be true of a column of the rows that are asked for.
package enum ForeignBound: Sendable, Hashable {
    case after(ForeignColumn, ForeignMark)
    case at(ForeignColumn, ForeignMark)
    case before(ForeignColumn, ForeignMark)
    case isNull(ForeignColumn)

    /// The comparison in SQL.
    ///
    /// `literal` writes the value.
    func sql(_ literal: (ForeignMark) throws -> String) rethrows -> String {
        switch self {
        case .after(let column, let mark): "\(ForeignQuery.quoted(column.name)) > \(try literal(mark))"
        case .at(let column, let mark): "\(ForeignQuery.quoted(column.name)) = \(try literal(mark))"
        case .before(let column, let mark): "\(ForeignQuery.quoted(column.name)) < \(try literal(mark))"
        case .isNull(let column): "\(ForeignQuery.quoted(column.name)) IS NULL"
        }
    }
}

/// How rows are written.
///
/// In CSV (RFC 4180) NULL is an empty field and an empty text is `""`. DuckDB tells them apart with
/// `allow_quoted_nulls = false`; pandas takes both for missing, or both for empty with `keep_default_na=False`. In JSON
/// NULL is `null` for every reader.
package enum ForeignFormat: String, Sendable, CaseIterable {
    case csv
    case jsonl
}

/// Why a database that is not ours could not be read, in its own words.
package struct ForeignDatabaseError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        // libpq ends its messages with a new line.
        var text = description[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        self.description = String(text)
    }

    /// Checks that columns can be told apart.
    static func check(_ columns: [ForeignColumn]) throws {
        var seen: Set<[UInt8]> = []
        for column in columns where !seen.insert(Array(column.name.utf8)).inserted {
            throw ForeignDatabaseError("two columns are named '\(column.name)'; name them apart with AS")
        }
        guard !columns.isEmpty else { throw ForeignDatabaseError("the statement gives no columns") }
    }
}
