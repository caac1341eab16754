internal import CPostgres

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
        try run("SET synchronous_commit = on; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '30s'")
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
        try check(PQexec(handle, sql), sql)
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
        let answer = parameters.withPointers { values, lengths, formats in
            PQexecPrepared(handle, name, Int32(clamping: parameters.types.count), values, lengths, formats, 1)
        }
        guard let answer else { throw failure(nil, sql) }
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
        try check(
            PQprepare(handle, name, dialect.translate(sql), Int32(clamping: types.count), types),
            sql
        )
        statements[key] = name
        return name
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
            case "57014", "55P03": .timeLimit
            case "53100": .full
            case "22021", "22P05": .textHasNull
            case _ where state.hasPrefix("53") || state.hasPrefix("57") || state.hasPrefix("08"): .unavailable
            case _ where state.hasPrefix("XX"): .damaged
            default: .other
            }
        return DatabaseError(kind, text)
    }
}
