internal import CPostgres

/// One PostgreSQL connection through libpq, with a cache of prepared statements.
///
/// The connection is in libpq's pipeline mode: a statement whose answer nobody needs yet is only queued, and travels
/// with the next one that waits. A write of six statements so crosses the network twice instead of six times.
///
/// - SeeAlso: "Pipeline Mode" in PostgreSQL's documentation of libpq.
final class PostgresConnection: SQLConnection {
    /// A statement is prepared once for each set of parameter types, and for reading and writing apart: its plan is
    /// kept, and must not come from the other's settings.
    private struct StatementKey: Hashable {
        let sql: String
        let isWrite: Bool
        let types: [Oid]
    }

    let dialect = Dialect.postgres
    private let handle: OpaquePointer
    private let pipeline: PostgresPipeline
    private var statements: [StatementKey: String] = [:]
    private var statementsMade = 0
    /// Whether the session is set for writing; nil when a rollback may have undone that.
    private var isWriting: Bool? = false
    private static let statementLimit = 400
    private static let beginWrite = "BEGIN"
    private static let beginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"

    /// Connects, with a limit of `timeLimit` for statements of transactions that name none.
    init(url: String, timeLimit: Duration, pulse: PostgresPulse) throws {
        guard let handle = PQconnectdb(url) else { throw DatabaseError(.unavailable, "libpq has no memory") }
        self.handle = handle
        pipeline = PostgresPipeline(handle, defaultLimit: timeLimit, pulse: pulse)
        guard PQstatus(handle) == CONNECTION_OK else {
            throw DatabaseError(.unavailable, String(cString: PQerrorMessage(handle)))
        }
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        guard PQenterPipelineMode(handle) == 1 else { throw DatabaseError(.unavailable, "no pipeline mode") }
        for (name, value) in [
            ("synchronous_commit", "on"), ("jit", "off"), ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "30s"), ("statement_timeout", "\(timeLimit.wholeMilliseconds)"),
        ] {
            try queue("SET \(name) = '\(value)'", [])
        }
        try pipeline.synchronize()
    }

    deinit { PQfinish(handle) }

    // MARK: Transactions

    /// Begins a transaction whose statements are stopped after `limit`.
    func begin(isWrite: Bool, limit: Duration) throws {
        if isWrite != isWriting {
            // Writes find their rows by keys. While a table is new the planner takes it for small, and would keep a plan
            // that reads all of it long after it has grown.
            try queue("SET enable_seqscan = \(isWrite ? "off" : "on")", [])
            isWriting = isWrite
        }
        try queue(isWrite ? Self.beginWrite : Self.beginRead, [])
        if limit != pipeline.defaultLimit { try queue("SET LOCAL statement_timeout = \(limit.wholeMilliseconds)", []) }
        pipeline.limit = limit
    }

    /// Makes the changes of the open transaction durable.
    ///
    /// - Throws: ``DatabaseError``: why one of the queued statements failed, or of kind `unknownOutcome` when the
    ///   connection breaks before the answer.
    func commit() throws {
        try queue("COMMIT", [], isCommit: true)
        let answer = try pipeline.synchronize()
        // A transaction that failed inside answers a COMMIT with ROLLBACK, and calls that a success.
        guard let tag = answer?.tag, tag == "COMMIT" else {
            throw DatabaseError(.other, "the transaction was rolled back")
        }
    }

    /// Ends a transaction that only read, without waiting for the answer.
    func endRead() throws {
        try queue("COMMIT", [])
        try pipeline.synchronizeLater()
    }

    /// Undoes the open transaction, whatever state it is in.
    func rollBack() throws {
        isWriting = nil
        do {
            try queue("ROLLBACK", [])
            try pipeline.synchronize()
        } catch let error as DatabaseError where error.kind != .unavailable {
            // Something before it failed, so the server skipped it.
            try queue("ROLLBACK", [])
            try pipeline.synchronize()
        }
    }

    // MARK: Statements

    func execute(_ sql: String, _ values: [SQLValue]) throws {
        try queue(sql, values)
    }

    func executeAndCount(_ sql: String, _ values: [SQLValue]) throws -> Int {
        try queue(sql, values)
        return try pipeline.lastAnswer().changed
    }

    func query(_ sql: String, _ values: [SQLValue], _ row: (Row) throws -> Void) throws {
        try queue(sql, values)
        let answer = try pipeline.lastAnswer()
        for index in 0..<answer.rowCount {
            try row(Row(source: .postgres(answer, row: index)))
        }
    }

    func insert(_ rows: BulkInsert) throws {
        try send(rows.statement(for: .postgres), PostgresParameters(rows))
    }

    func insertAndCount(_ rows: BulkInsert) throws -> Int {
        try insert(rows)
        return try pipeline.lastAnswer().changed
    }

    func insert(_ rows: BulkInsert, returning column: String) throws -> [Int64] {
        try send(rows.statement(for: .postgres) + " RETURNING \(column)", PostgresParameters(rows))
        let answer = try pipeline.lastAnswer()
        return (0..<answer.rowCount).map { answer.integer($0, 0) }
    }

    func lock(_ names: [String]) throws {
        guard names.count != 1 else {
            return try queue("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", [.text(names[0])])
        }
        // Locks are taken in one order everywhere, so that two transactions never wait for each other.
        try queue(
            """
            SELECT pg_advisory_xact_lock(name)
            FROM (SELECT hashtextextended(name, 0) AS name FROM unnest(CAST(? AS TEXT[])) AS name ORDER BY 1) AS names
            """,
            [.texts(names)]
        )
    }

    func settle() throws {
        try pipeline.settle()
    }

    private func queue(_ sql: String, _ values: [SQLValue], isCommit: Bool = false) throws {
        try send(sql, PostgresParameters(values), isCommit: isCommit)
    }

    private func send(_ sql: String, _ parameters: PostgresParameters, isCommit: Bool = false) throws {
        let name = try prepared(sql, parameters.types)
        let isSent = parameters.withPointers { values, lengths, formats in
            PQsendQueryPrepared(handle, name, Int32(clamping: parameters.types.count), values, lengths, formats, 1)
        }
        guard isSent == 1 else { throw pipeline.failure(nil, sql) }
        try pipeline.note(.statement(sql, isCommit: isCommit))
    }

    /// The name of a prepared statement, which is made in the same pipeline if need be.
    private func prepared(_ sql: String, _ types: [Oid]) throws -> String {
        let key = StatementKey(sql: sql, isWrite: isWriting ?? true, types: types)
        if let name = statements[key] { return name }
        if statements.count >= Self.statementLimit {
            statements.removeAll(keepingCapacity: true)
            try queue("DEALLOCATE ALL", [])
            statements.removeAll(keepingCapacity: true)
        }
        statementsMade += 1
        let name = "s\(statementsMade)"
        guard PQsendPrepare(handle, name, dialect.translate(sql), Int32(clamping: types.count), types) == 1 else {
            throw pipeline.failure(nil, sql)
        }
        statements[key] = name
        // What the server skipped, because a statement before it had failed, must be prepared again.
        try pipeline.note(.preparation(sql) { [weak self] in self?.statements[key] = nil })
        return name
    }
}
