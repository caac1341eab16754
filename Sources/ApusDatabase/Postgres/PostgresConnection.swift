internal import CPostgres

#if canImport(Glibc)
    import Glibc
#endif

/// One PostgreSQL connection through libpq's blocking calls, with a cache of prepared statements.
final class PostgresConnection: SQLConnection {
    /// A statement is prepared once for each set of parameter types.
    private struct StatementKey: Hashable {
        let sql: String
        let types: [Oid]
    }

    let dialect = Dialect.postgres
    private let handle: OpaquePointer
    private var statements: [StatementKey: String] = [:]
    private static let statementLimit = 400
    private var timeLimitMilliseconds = 0

    init(url: String) throws {
        guard let handle = PQconnectdb(url) else { throw DatabaseError(.unavailable, "libpq has no memory") }
        self.handle = handle
        guard PQstatus(handle) == CONNECTION_OK else {
            throw DatabaseError(.unavailable, String(cString: PQerrorMessage(handle)))
        }
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        try run(
            "SET synchronous_commit = on; SET jit = off; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '30s'"
        )
    }

    deinit { PQfinish(handle) }

    /// Sets the time after which statements are stopped, unless it is set so already.
    func setTimeLimit(_ limit: Duration) throws {
        let milliseconds = Int(clamping: limit.components.seconds) * 1000
        guard milliseconds != timeLimitMilliseconds else { return }
        try run("SET statement_timeout = \(milliseconds)")
        timeLimitMilliseconds = milliseconds
    }

    /// Whether no transaction is open.
    var isIdle: Bool { PQtransactionStatus(handle) == PQTRANS_IDLE }

    /// Runs statements without values or rows.
    func run(_ sql: String) throws {
        guard PQsendQuery(handle, sql) == 1 else { throw failure(nil, sql) }
        try check(try answer(to: sql), sql)
    }

    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
        let result = try send(sql, PostgresParameters(values))
        return result.changed
    }

    func query(_ sql: String, _ values: [SQLValue], _ row: (Row) throws -> Void) throws {
        let result = try send(sql, PostgresParameters(values)).result
        for index in 0..<result.rowCount {
            try row(Row(source: .postgres(result, row: index)))
        }
    }

    func insert(_ rows: BulkInsert) throws -> Int {
        try send(rows.statement(for: .postgres), PostgresParameters(rows)).changed
    }

    func lock(_ name: String) throws {
        _ = try send("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", PostgresParameters([.text(name)]))
    }

    private func send(
        _ sql: String,
        _ parameters: PostgresParameters
    ) throws -> (result: PostgresResult, changed: Int) {
        let name = try prepared(sql, parameters.types)
        let isSent = parameters.withPointers { values, lengths, formats in
            PQsendQueryPrepared(handle, name, Int32(clamping: parameters.types.count), values, lengths, formats, 1)
        }
        guard isSent == 1 else { throw failure(nil, sql) }
        guard let answer = try answer(to: sql) else { throw failure(nil, sql) }
        let status = PQresultStatus(answer)
        guard status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK else {
            defer { PQclear(answer) }
            throw failure(answer, sql)
        }
        let changed = PQcmdTuples(answer).flatMap { Int(String(cString: $0)) } ?? 0
        return (PostgresResult(answer), changed)
    }

    private func prepared(_ sql: String, _ types: [Oid]) throws -> String {
        let key = StatementKey(sql: sql, types: types)
        if let name = statements[key] { return name }
        if statements.count >= Self.statementLimit {
            try run("DEALLOCATE ALL")
            statements.removeAll(keepingCapacity: true)
        }
        let name = "s\(statements.count)"
        guard PQsendPrepare(handle, name, dialect.translate(sql), Int32(clamping: types.count), types) == 1 else {
            throw failure(nil, sql)
        }
        try check(try answer(to: sql), sql)
        statements[key] = name
        return name
    }

    /// Waits for the last result of what was sent, a little longer than the server is allowed to take.
    ///
    /// The server's own limit does not help against a server, or a network, that has stopped.
    private func answer(to sql: String) throws -> OpaquePointer? {
        let deadline = monotonicNanoseconds() + UInt64(max(timeLimitMilliseconds, 3_000) + 2_000) * 1_000_000
        var last: OpaquePointer?
        while true {
            while PQisBusy(handle) == 1 {
                let now = monotonicNanoseconds()
                let rest = deadline > now ? Int32(clamping: (deadline - now) / 1_000_000 + 1) : 0
                var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
                let ready = poll(&descriptor, 1, rest)
                if ready < 0, errno == EINTR { continue }
                guard ready > 0 else {
                    PQclear(last)
                    throw DatabaseError(.unavailable, "the server did not answer in time: \(sql)")
                }
                guard PQconsumeInput(handle) == 1 else {
                    PQclear(last)
                    throw failure(nil, sql)
                }
            }
            guard let result = PQgetResult(handle) else { return last }
            PQclear(last)
            last = result
        }
    }

    /// Makes the changes of the open transaction durable.
    ///
    /// - Throws: ``DatabaseError`` of kind `unknownOutcome` when the connection breaks before the answer.
    func commit() throws {
        guard PQsendQuery(handle, "COMMIT") == 1 else { throw failure(nil, "COMMIT") }
        do {
            guard let answer = try answer(to: "COMMIT") else { throw failure(nil, "COMMIT") }
            defer { PQclear(answer) }
            guard PQresultStatus(answer) == PGRES_COMMAND_OK else { throw failure(answer, "COMMIT") }
            // A transaction that failed inside answers a COMMIT with ROLLBACK, and calls that a success.
            guard let tag = PQcmdStatus(answer), String(cString: tag) == "COMMIT" else {
                throw DatabaseError(.other, "the transaction was rolled back")
            }
        } catch let error as DatabaseError where error.kind == .unavailable {
            throw DatabaseError(.unknownOutcome, error.detail)
        }
    }

    private func check(_ answer: OpaquePointer?, _ sql: String) throws {
        guard let answer else { throw failure(nil, sql) }
        defer { PQclear(answer) }
        let status = PQresultStatus(answer)
        guard status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY else {
            throw failure(answer, sql)
        }
    }

    private func failure(_ answer: OpaquePointer?, _ sql: String) -> DatabaseError {
        let text = "\(String(cString: PQerrorMessage(handle))) in \(sql)"
        guard PQstatus(handle) == CONNECTION_OK else { return DatabaseError(.unavailable, text) }
        let state = answer.flatMap { PQresultErrorField($0, 67) }.map { String(cString: $0) } ?? ""
        let kind: DatabaseError.Kind =
            switch state {
            case "40001", "40P01": .serialization
            case "23505": .duplicate
            case "57014": .timeLimit
            case "55P03": .busy
            // A server that became a replica: the next connection may find the primary.
            case "25006": .unavailable
            case "53100": .full
            case "22021", "22P05": .textHasNull
            case _ where state.hasPrefix("53") || state.hasPrefix("57") || state.hasPrefix("08"): .unavailable
            case _ where state.hasPrefix("XX"): .damaged
            default: .other
            }
        return DatabaseError(kind, text)
    }
}
