internal import CPostgres

#if canImport(Glibc)
    import Glibc
#endif

/// One snapshot of a PostgreSQL database, read with COPY.
///
/// - SeeAlso: "Functions Associated with the COPY Command" in PostgreSQL's documentation of libpq.
package final class PostgresSnapshot: ForeignSnapshot {
    private let handle: OpaquePointer
    private let isCancelled: @Sendable () -> Bool
    private static let booleanID: UInt32 = 16

    /// Connects and begins a transaction that can only read.
    ///
    /// - Parameters:
    ///   - url: As libpq takes it; what it leaves out comes from libpq's own variables and files.
    ///   - statementTimeout: A statement that runs longer is stopped by the server.
    ///   - isCancelled: Asked while the server is waited for.
    /// - Throws: ``ForeignDatabaseError``.
    package init(
        url: String,
        statementTimeout: Duration,
        isCancelled: @escaping @Sendable () -> Bool
    ) throws {
        self.isCancelled = isCancelled
        // Later ones win over what the address says, earlier ones do not.
        let settings = [
            ("connect_timeout", "10"), ("application_name", "apus"), ("dbname", url), ("client_encoding", "UTF8"),
        ]
        let opened = Self.withCStrings(settings.map(\.0)) { names in
            Self.withCStrings(settings.map(\.1)) { values in PQconnectdbParams(names, values, 1) }
        }
        guard let opened else { throw ForeignDatabaseError("libpq has no memory") }
        handle = opened
        guard PQstatus(handle) == CONNECTION_OK else { throw failure() }
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        for (name, value) in [
            ("statement_timeout", "\(statementTimeout.wholeMilliseconds)"), ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "0"), ("standard_conforming_strings", "on"),
            // Texts that mean the same to whoever reads them.
            ("DateStyle", "ISO"), ("TimeZone", "UTC"), ("extra_float_digits", "3"), ("bytea_output", "hex"),
        ] {
            try run("SET \(name) = '\(value)'")
        }
        try run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    }

    deinit { PQfinish(handle) }

    package func columns(of query: ForeignQuery) throws -> [ForeignColumn] {
        // By itself first: it must be one whole statement, whatever parentheses it has.
        try prepare(query.sql)
        try prepare(source(query, []))
        let result = try answer(PQsendDescribePrepared(handle, ""))
        defer { PQclear(result) }
        let columns = (0..<PQnfields(result)).map { index in
            ForeignColumn(
                name: PQfname(result, index).map { String(cString: $0) } ?? "",
                typeID: PQftype(result, index)
            )
        }
        try ForeignDatabaseError.check(columns)
        return columns
    }

    package func greatest(_ column: ForeignColumn, of query: ForeignQuery) throws -> ForeignMark? {
        let name = ForeignQuery.quoted(column.name)
        guard let type = try value("SELECT format_type(\(column.typeID), NULL)"),
            let text = try value(source(query, [], "max(\(name))::text"))
        else { return nil }
        return ForeignMark(type: type, text: text)
    }

    package func count(_ query: ForeignQuery, _ bounds: [ForeignBound]) throws -> Int64 {
        guard let text = try value(source(query, bounds, "count(*)")), let count = Int64(text) else {
            throw ForeignDatabaseError("rows could not be counted")
        }
        return count
    }

    package func forEachRow(
        _ query: ForeignQuery,
        _ columns: [ForeignColumn],
        _ bounds: [ForeignBound],
        as format: ForeignFormat,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        switch format {
        case .csv:
            let list = columns.map { column in
                let name = ForeignQuery.quoted(column.name)
                // As a text it is `true`, which readers know, and else `t`.
                return column.typeID == Self.booleanID ? "\(name)::text" : name
            }
            try copy("COPY (\(try source(query, bounds, list.joined(separator: ", ")))) TO STDOUT (FORMAT csv)", body)
        case .jsonl:
            var line: [UInt8] = []
            try copy("COPY (\(try source(query, bounds, "row_to_json(apus_source)"))) TO STDOUT") { row in
                line.removeAll(keepingCapacity: true)
                ForeignText.unescapeCopiedJSON(row, to: &line)
                try line.withUnsafeBytes(body)
            }
        }
    }

    // MARK: Inside

    private func source(_ query: ForeignQuery, _ bounds: [ForeignBound], _ list: String = "*") throws -> String {
        let conditions = try bounds.map { try $0.sql(literal) }
        let rest = conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
        // On lines of its own, so that a comment at its end ends there.
        return "SELECT \(list) FROM (\n\(query.sql)\n) AS apus_source\(rest)"
    }

    /// A value with its type, since COPY takes no parameters.
    private func literal(_ mark: ForeignMark) throws -> String {
        let isTypeName = mark.type.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                || " _.()[],\"".unicodeScalars.contains(scalar)
        }
        guard isTypeName, let escaped = PQescapeLiteral(handle, mark.text, mark.text.utf8.count) else {
            throw ForeignDatabaseError("the value '\(mark.text)' cannot be compared")
        }
        defer { PQfreemem(escaped) }
        return "CAST(\(String(cString: escaped)) AS \(mark.type))"
    }

    private func prepare(_ sql: String) throws {
        PQclear(try answer(PQsendPrepare(handle, "", sql, 0, nil)))
    }

    private func run(_ sql: String) throws {
        PQclear(try answer(PQsendQuery(handle, sql)))
    }

    /// The first value of the first row.
    private func value(_ sql: String) throws -> String? {
        let result = try answer(PQsendQuery(handle, sql))
        defer { PQclear(result) }
        guard PQntuples(result) > 0, PQgetisnull(result, 0, 0) == 0 else { return nil }
        return PQgetvalue(result, 0, 0).map { String(cString: $0) }
    }

    private func copy(_ sql: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard PQsendQuery(handle, sql) == 1, let first = try result() else { throw failure() }
        let status = PQresultStatus(first)
        let message = String(cString: PQresultErrorMessage(first))
        PQclear(first)
        guard status == PGRES_COPY_OUT else {
            try drain()
            throw ForeignDatabaseError(message)
        }
        while true {
            var row: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(handle, &row, 1)
            if count > 0, let row {
                defer { PQfreemem(row) }
                try body(UnsafeRawBufferPointer(start: row, count: Int(count)))
                if isCancelled() { throw cancel() }
            } else if count == 0 {
                try wait()
            } else if count == -1 {
                return try drain()
            } else {
                throw failure()
            }
        }
    }

    /// The one result of what was sent.
    private func answer(_ isSent: Int32) throws -> OpaquePointer {
        guard isSent == 1, let first = try result() else { throw failure() }
        switch PQresultStatus(first) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
            try drain()
            return first
        default:
            let message = String(cString: PQresultErrorMessage(first))
            PQclear(first)
            try drain()
            throw ForeignDatabaseError(message)
        }
    }

    /// Reads results until there is no more, and throws the failure among them.
    private func drain() throws {
        var message: String?
        while let next = try result() {
            let status = PQresultStatus(next)
            if status != PGRES_COMMAND_OK, status != PGRES_TUPLES_OK {
                message = message ?? String(cString: PQresultErrorMessage(next))
            }
            PQclear(next)
            if PQstatus(handle) != CONNECTION_OK { break }
        }
        if let message { throw ForeignDatabaseError(message) }
    }

    private func result() throws -> OpaquePointer? {
        while PQisBusy(handle) == 1 { try wait() }
        return PQgetResult(handle)
    }

    /// Waits in short steps for bytes of the server, so that whoever gives up need not wait with it.
    private func wait() throws {
        if isCancelled() { throw cancel() }
        var status = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        let ready = poll(&status, 1, 100)
        if ready > 0, PQconsumeInput(handle) != 1 { throw failure() }
    }

    /// Stops what the server is doing.
    private func cancel() -> any Error {
        if let request = PQgetCancel(handle) {
            var words = [CChar](repeating: 0, count: 256)
            PQcancel(request, &words, 256)
            PQfreeCancel(request)
        }
        return CancellationError()
    }

    private func failure() -> ForeignDatabaseError {
        ForeignDatabaseError(String(cString: PQerrorMessage(handle)))
    }

    /// Runs `body` with a null-terminated list of texts.
    private static func withCStrings<Result>(
        _ texts: [String],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result?
    ) -> Result? {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let pointers = copies.map { UnsafePointer($0) } + [nil]
        return pointers.withUnsafeBufferPointer { $0.baseAddress.flatMap(body) }
    }
}
