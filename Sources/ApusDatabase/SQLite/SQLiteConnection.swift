import ApusKernel
internal import CSQLite

#if canImport(Glibc)
    import Glibc
#endif

/// One SQLite connection through the C API, with a cache of prepared statements.
final class SQLiteConnection: SQLConnection {
    /// What the connection may do.
    enum Access {
        case readWrite
        case readOnly
    }

    let dialect = Dialect.sqlite
    private let handle: OpaquePointer
    private var statements: [String: OpaquePointer] = [:]
    /// Search statements vary with the filter, so the cache is emptied when it grows past this.
    private static let statementLimit = 400
    /// Monotonic nanoseconds after which a statement is interrupted; 0 for never.
    private let deadline: UnsafeMutablePointer<UInt64>

    /// Opens the file, with a page cache of at most `cacheKibibytes`.
    ///
    /// - Throws: ``DatabaseError``, of kind `unavailable` when the file cannot be opened.
    init(path: String, access: Access, cacheKibibytes: Int) throws {
        var opened: OpaquePointer?
        let flags = access == .readWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY
        let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let opened else {
            sqlite3_close_v2(opened)
            throw DatabaseError(.unavailable, "cannot open \(path): \(String(cString: sqlite3_errstr(code)))")
        }
        handle = opened
        deadline = .allocate(capacity: 1)
        deadline.initialize(to: 0)
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 4_000)
        _ = apus_sqlite_defensive(handle)
        SQLiteFunctions.register(on: handle, deadline: deadline)
        sqlite3_progress_handler(
            handle,
            20_000,
            { context in
                guard let limit = context?.assumingMemoryBound(to: UInt64.self).pointee, limit > 0 else { return 0 }
                return monotonicNanoseconds() > limit ? 1 : 0
            },
            deadline
        )
        for pragma in [
            "PRAGMA foreign_keys = ON", "PRAGMA trusted_schema = OFF", "PRAGMA temp_store = MEMORY",
            "PRAGMA secure_delete = OFF", "PRAGMA cache_size = -\(cacheKibibytes)",
        ] {
            try run(pragma)
        }
        if access == .readWrite {
            // FULL syncs the log on every commit: what is acknowledged survives a power cut.
            try run("PRAGMA journal_mode = WAL")
            try run("PRAGMA synchronous = FULL")
            try run("PRAGMA wal_autocheckpoint = 4000")
            try run("PRAGMA journal_size_limit = 67108864")
        }
    }

    deinit {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(handle)
        deadline.deallocate()
    }

    /// Interrupts statements that run longer than `limit` from now; nil lifts the limit.
    func setTimeLimit(_ limit: Duration?) {
        guard let limit else {
            deadline.pointee = 0
            return
        }
        let (seconds, attoseconds) = limit.components
        deadline.pointee =
            monotonicNanoseconds() + UInt64(max(0, seconds)) * 1_000_000_000
            + UInt64(max(0, attoseconds) / 1_000_000_000)
    }

    /// Whether no transaction is open; a full disk makes SQLite undo the open one by itself.
    var isIdle: Bool { sqlite3_get_autocommit(handle) != 0 }

    /// Runs a statement without values or rows.
    func run(_ sql: String) throws {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code, sql) }
    }

    func execute(_ sql: String, _ values: [SQLValue]) throws {
        try query(sql, values) { _ in }
    }

    func executeAndCount(_ sql: String, _ values: [SQLValue]) throws -> Int {
        try execute(sql, values)
        return Int(sqlite3_changes(handle))
    }

    func query(_ sql: String, _ values: [SQLValue], _ row: (Row) throws -> Void) throws {
        let statement = try prepared(sql)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        var index: Int32 = 1
        for value in values {
            try bind(value, to: statement, at: index)
            index += 1
        }
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else { throw failure(code, sql) }
            try row(Row(source: .sqlite(statement)))
        }
    }

    func insertAndCount(_ rows: BulkInsert) throws -> Int {
        let before = sqlite3_total_changes(handle)
        try insert(rows)
        return Int(sqlite3_total_changes(handle) &- before)
    }

    func insert(_ rows: BulkInsert) throws {
        try insert(rows, rows.statement(for: .sqlite)) { _ in }
    }

    func insert(_ rows: BulkInsert, returning column: String) throws -> [Int64] {
        var returned: [Int64] = []
        try insert(rows, rows.statement(for: .sqlite) + " RETURNING \(column)") { statement in
            returned.append(sqlite3_column_int64(statement, 0))
        }
        return returned
    }

    private func insert(_ rows: BulkInsert, _ sql: String, _ returned: (OpaquePointer) -> Void) throws {
        let statement = try prepared(sql)
        defer { sqlite3_clear_bindings(statement) }
        for row in 0..<rows.rowCount {
            var index: Int32 = 1
            for column in rows.columns {
                switch column.values {
                case .integers(let values): sqlite3_bind_int64(statement, index, values[row])
                case .reals(let values): sqlite3_bind_double(statement, index, values[row])
                case .texts(let values): try bind(.text(values[row]), to: statement, at: index)
                case .blobs(let values): try bind(.blob(values[row]), to: statement, at: index)
                }
                index += 1
            }
            var code = sqlite3_step(statement)
            while code == SQLITE_ROW {
                returned(statement)
                code = sqlite3_step(statement)
            }
            sqlite3_reset(statement)
            guard code == SQLITE_DONE else { throw failure(code, sql) }
        }
    }

    /// There is one writer, so a transaction that writes is alone already.
    func lock(_ names: [String]) {}

    /// Nothing is ever put off.
    func settle() {}

    private func prepared(_ sql: String) throws -> OpaquePointer {
        if let statement = statements[sql] { return statement }
        if statements.count >= Self.statementLimit {
            for statement in statements.values { sqlite3_finalize(statement) }
            statements.removeAll(keepingCapacity: true)
        }
        var made: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, dialect.translate(sql), -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
        guard code == SQLITE_OK, let made else { throw failure(code, sql) }
        statements[sql] = made
        return made
    }

    private func bind(_ value: SQLValue, to statement: OpaquePointer, at index: Int32) throws {
        let code =
            switch value {
            case .null: sqlite3_bind_null(statement, index)
            case .integer(let number): sqlite3_bind_int64(statement, index, number)
            case .real(let number): sqlite3_bind_double(statement, index, number)
            case .text(let text): bindText(text, to: statement, at: index)
            case .blob(let bytes):
                bytes.withUnsafeBytes {
                    sqlite3_bind_blob64(
                        statement,
                        index,
                        $0.baseAddress ?? UnsafeRawPointer(deadline),
                        UInt64($0.count),
                        apus_sqlite_transient()
                    )
                }
            case .integers(let numbers):
                bindText("[\(numbers.map(String.init).joined(separator: ","))]", to: statement, at: index)
            case .texts(let texts): bindText(jsonArray(of: texts), to: statement, at: index)
            }
        guard code == SQLITE_OK else { throw failure(code, "bind") }
    }

    private func bindText(_ text: String, to statement: OpaquePointer, at index: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) {
                // An empty string may have no address, and a null address would bind NULL.
                guard let base = $0.baseAddress else {
                    return sqlite3_bind_text(statement, index, "", 0, apus_sqlite_transient())
                }
                return sqlite3_bind_text64(
                    statement,
                    index,
                    base,
                    UInt64($0.count),
                    apus_sqlite_transient(),
                    UInt8(SQLITE_UTF8)
                )
            }
        }
    }

    private func failure(_ code: Int32, _ sql: String) -> DatabaseError {
        let kind: DatabaseError.Kind =
            switch Int(code) {
            case APUS_SQLITE_CONSTRAINT_UNIQUE, APUS_SQLITE_CONSTRAINT_PRIMARYKEY, APUS_SQLITE_CONSTRAINT_ROWID:
                .duplicate
            case APUS_SQLITE_IOERR_FSYNC, APUS_SQLITE_IOERR_DIR_FSYNC: .damaged
            default:
                switch code & 0xFF {
                case SQLITE_FULL: .full
                case SQLITE_INTERRUPT: .timeLimit
                case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged
                case SQLITE_IOERR:
                    [ENOSPC, EDQUOT, EFBIG].contains(sqlite3_system_errno(handle)) ? .full : .unavailable
                case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_NOMEM: .unavailable
                default: .other
                }
            }
        return DatabaseError(kind, "\(String(cString: sqlite3_errmsg(handle))) (\(code)) in \(sql)")
    }
}

/// A JSON array of strings, as `json_each` reads it.
private func jsonArray(of texts: [String]) -> String {
    var json: [UInt8] = [0x5B]
    for (index, text) in texts.enumerated() {
        if index > 0 { json.append(0x2C) }
        json.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C:
                json.append(0x5C)
                json.append(byte)
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                json.append(contentsOf: Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            default: json.append(byte)
            }
        }
        json.append(0x22)
    }
    json.append(0x5D)
    return String(decoding: json, as: UTF8.self)
}
