internal import CSQLite

/// One snapshot of a SQLite file that somebody else made, opened for reading only.
///
/// Schemas of such files are not trusted: functions in views that could do more than compute are refused.
///
/// - SeeAlso: "Defense Against The Dark Arts" in SQLite's documentation.
package final class SQLiteSnapshot: ForeignSnapshot {
    private let handle: OpaquePointer
    private let isCancelled: @Sendable () -> Bool
    private let watch: Watch

    /// What the progress handler sees.
    private final class Watch {
        let isCancelled: @Sendable () -> Bool
        let timeout: Duration
        var deadline = ContinuousClock.now

        init(_ timeout: Duration, _ isCancelled: @escaping @Sendable () -> Bool) {
            self.isCancelled = isCancelled
            self.timeout = timeout
        }
    }

    /// Opens the file and begins a transaction that can only read.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - statementTimeout: A statement that runs longer is stopped.
    ///   - isCancelled: Asked while statements run.
    /// - Throws: ``ForeignDatabaseError`` when it cannot be opened, or is no database.
    package init(
        path: String,
        statementTimeout: Duration,
        isCancelled: @escaping @Sendable () -> Bool
    ) throws {
        self.isCancelled = isCancelled
        watch = Watch(statementTimeout, isCancelled)
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        // A path beginning with `./` is never taken for an address.
        let code = sqlite3_open_v2(path.hasPrefix("/") ? path : "./\(path)", &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            sqlite3_close_v2(opened)
            throw ForeignDatabaseError("cannot open '\(path)': \(String(cString: sqlite3_errstr(code)))")
        }
        handle = opened
        _ = apus_sqlite_defensive(handle)
        sqlite3_busy_timeout(handle, 10_000)
        sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0)
        let context = Unmanaged.passUnretained(watch).toOpaque()
        sqlite3_progress_handler(
            handle,
            20_000,
            { context in
                guard let context else { return 0 }
                let watch = Unmanaged<Watch>.fromOpaque(context).takeUnretainedValue()
                return watch.isCancelled() || ContinuousClock.now > watch.deadline ? 1 : 0
            },
            context
        )
        watch.deadline = .now + statementTimeout
        for sql in [
            "PRAGMA trusted_schema = OFF", "PRAGMA query_only = ON", "PRAGMA cell_size_check = ON",
            "PRAGMA temp_store = MEMORY", "BEGIN",
            // A deferred transaction gets its snapshot with its first read.
            "SELECT count(*) FROM sqlite_schema",
        ] {
            guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure() }
        }
    }

    deinit { sqlite3_close_v2(handle) }

    package func columns(of query: ForeignQuery) throws -> [ForeignColumn] {
        // By itself first: it must be one whole statement, whatever parentheses it has.
        let alone = try prepare(query.sql)
        defer { sqlite3_finalize(alone) }
        // In parentheses, columns of one name would get others.
        try ForeignDatabaseError.check(columns(of: alone))
        let statement = try prepare(source(query, []))
        defer { sqlite3_finalize(statement) }
        return columns(of: statement)
    }

    private func columns(of statement: OpaquePointer) -> [ForeignColumn] {
        (0..<sqlite3_column_count(statement)).map { index in
            ForeignColumn(name: sqlite3_column_name(statement, index).map { String(cString: $0) } ?? "")
        }
    }

    package func greatest(_ column: ForeignColumn, of query: ForeignQuery) throws -> ForeignMark? {
        let statement = try prepare(source(query, [], "max(\(ForeignQuery.quoted(column.name)))"))
        defer { sqlite3_finalize(statement) }
        guard try step(statement) else { return nil }
        switch sqlite3_column_type(statement, 0) {
        case SQLITE_INTEGER: return ForeignMark(type: "integer", text: "\(sqlite3_column_int64(statement, 0))")
        case SQLITE_FLOAT: return ForeignMark(type: "real", text: "\(sqlite3_column_double(statement, 0))")
        case SQLITE_TEXT:
            let text = String(validating: text(statement, 0), as: UTF8.self)
            guard let text else { throw ForeignDatabaseError("the greatest '\(column.name)' is no UTF-8") }
            return ForeignMark(type: "text", text: text)
        case SQLITE_NULL: return nil
        default: throw ForeignDatabaseError("'\(column.name)' holds binary values, which have no useful order")
        }
    }

    package func count(_ query: ForeignQuery, _ bounds: [ForeignBound]) throws -> Int64 {
        let statement = try prepare(source(query, bounds, "count(*)"))
        defer { sqlite3_finalize(statement) }
        try bind(bounds, to: statement)
        return try step(statement) ? sqlite3_column_int64(statement, 0) : 0
    }

    package func forEachRow(
        _ query: ForeignQuery,
        _ columns: [ForeignColumn],
        _ bounds: [ForeignBound],
        as format: ForeignFormat,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let list = columns.map { ForeignQuery.quoted($0.name) }.joined(separator: ", ")
        let statement = try prepare(source(query, bounds, list))
        defer { sqlite3_finalize(statement) }
        try bind(bounds, to: statement)
        let names = columns.map { column in
            var name: [UInt8] = []
            Array(column.name.utf8).withUnsafeBytes { ForeignText.appendJSON($0, to: &name) }
            return name
        }
        var line: [UInt8] = []
        while try step(statement) {
            line.removeAll(keepingCapacity: true)
            switch format {
            case .csv:
                for index in 0..<columns.count {
                    if index > 0 { line.append(UInt8(ascii: ",")) }
                    append(statement, Int32(index), .csv, to: &line)
                }
            case .jsonl:
                for (index, name) in names.enumerated() {
                    line.append(UInt8(ascii: index > 0 ? "," : "{"))
                    line.append(contentsOf: name)
                    line.append(UInt8(ascii: ":"))
                    append(statement, Int32(index), .jsonl, to: &line)
                }
                line.append(UInt8(ascii: "}"))
            }
            line.append(UInt8(ascii: "\n"))
            try line.withUnsafeBytes(body)
            if isCancelled() { throw CancellationError() }
        }
    }

    // MARK: Inside

    private func source(_ query: ForeignQuery, _ bounds: [ForeignBound], _ list: String = "*") -> String {
        let conditions = bounds.map { $0.sql { _ in "?" } }
        let rest = conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
        return "SELECT \(list) FROM (\n\(query.sql)\n) AS apus_source\(rest)"
    }

    private func prepare(_ sql: String) throws -> OpaquePointer {
        var made: OpaquePointer?
        var sql = sql
        watch.deadline = .now + watch.timeout
        let isWhole = try sql.withUTF8 { text in
            try text.withMemoryRebound(to: CChar.self) { text in
                var rest: UnsafePointer<CChar>?
                let count = Int32(clamping: text.count)
                guard sqlite3_prepare_v2(handle, text.baseAddress, count, &made, &rest) == SQLITE_OK else {
                    throw failure()
                }
                guard let start = text.baseAddress, let rest else { return true }
                // What follows a first statement must be nothing.
                return text[(rest - start)...].allSatisfy { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
            }
        }
        guard let made, isWhole, sqlite3_stmt_readonly(made) != 0 else {
            sqlite3_finalize(made)
            throw ForeignDatabaseError("this is not one statement that only reads")
        }
        return made
    }

    private func bind(_ bounds: [ForeignBound], to statement: OpaquePointer) throws {
        var index: Int32 = 0
        for bound in bounds {
            let mark: ForeignMark
            switch bound {
            case .after(_, let value), .at(_, let value), .before(_, let value): mark = value
            case .isNull: continue
            }
            index += 1
            let code: Int32
            switch mark.type {
            case "integer":
                guard let number = Int64(mark.text) else { throw wrong(mark) }
                code = sqlite3_bind_int64(statement, index, number)
            case "real":
                guard let number = Double(mark.text) else { throw wrong(mark) }
                code = sqlite3_bind_double(statement, index, number)
            case "text":
                let bytes = Int32(clamping: mark.text.utf8.count)
                code = sqlite3_bind_text(statement, index, mark.text, bytes, apus_sqlite_transient())
            default: throw wrong(mark)
            }
            guard code == SQLITE_OK else { throw failure() }
        }
    }

    private func wrong(_ mark: ForeignMark) -> ForeignDatabaseError {
        ForeignDatabaseError("'\(mark.text)' is no value of type '\(mark.type)'")
    }

    private func step(_ statement: OpaquePointer) throws -> Bool {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case SQLITE_INTERRUPT where isCancelled(): throw CancellationError()
        case SQLITE_INTERRUPT: throw ForeignDatabaseError("the statement ran longer than its limit")
        default: throw failure()
        }
    }

    private func text(_ statement: OpaquePointer, _ column: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_text(statement, column)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column)))
    }

    private func append(_ statement: OpaquePointer, _ column: Int32, _ format: ForeignFormat, to line: inout [UInt8]) {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_NULL:
            if format == .jsonl { line.append(contentsOf: "null".utf8) }
        case SQLITE_INTEGER: line.append(contentsOf: sqlite3_column_int64(statement, column).description.utf8)
        case SQLITE_FLOAT:
            let number = sqlite3_column_double(statement, column)
            // JSON has no infinity, and SQLite no NaN.
            let isQuoted = format == .jsonl && !number.isFinite
            let text = number.isFinite ? number.description : number < 0 ? "-Infinity" : "Infinity"
            line.append(contentsOf: (isQuoted ? "\"\(text)\"" : text).utf8)
        case SQLITE_BLOB:
            let start = sqlite3_column_blob(statement, column)
            let bytes = UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column)))
            line.append(contentsOf: (format == .jsonl ? "\"\\\\x" : "\\x").utf8)
            ForeignText.appendHexadecimal(bytes, to: &line)
            if format == .jsonl { line.append(UInt8(ascii: "\"")) }
        default:
            let bytes = text(statement, column)
            // SQLite takes any bytes for text; readers of CSV and JSON do not.
            if bytes.isEmpty || String(validating: bytes, as: UTF8.self) != nil {
                append(bytes, format, to: &line)
            } else {
                Array(String(decoding: bytes, as: UTF8.self).utf8).withUnsafeBytes { append($0, format, to: &line) }
            }
        }
    }

    private func append(_ text: UnsafeRawBufferPointer, _ format: ForeignFormat, to line: inout [UInt8]) {
        switch format {
        case .csv: ForeignText.appendCSV(text, to: &line)
        case .jsonl: ForeignText.appendJSON(text, to: &line)
        }
    }

    private func failure() -> ForeignDatabaseError {
        ForeignDatabaseError(String(cString: sqlite3_errmsg(handle)))
    }
}
