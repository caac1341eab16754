import ApusKernel
internal import CPostgres

#if canImport(Glibc)
    import Glibc
#endif

/// What was sent on a connection and not yet answered, in order.
///
/// After a statement that fails, the server skips everything up to the next synchronization; this is where failures
/// are found, and told to whoever waits next.
final class PostgresPipeline {
    /// Something that the server answers.
    enum Entry {
        case statement(String, isCommit: Bool)
        /// The last value is called when the statement was not prepared.
        case preparation(String, onFailure: () -> Void)
        case synchronization

        var sql: String {
            switch self {
            case .statement(let sql, _), .preparation(let sql, _): sql
            case .synchronization: ""
            }
        }

        var isSynchronization: Bool {
            if case .synchronization = self { true } else { false }
        }

        var isCommit: Bool {
            if case .statement(_, let isCommit) = self { isCommit } else { false }
        }
    }

    /// The limit for statements of a transaction that sets none.
    let defaultLimit: Duration
    /// The limit for statements of the open transaction.
    var limit: Duration
    private let handle: OpaquePointer
    private let pulse: PostgresPulse
    private var entries: [Entry] = []
    /// More than this is answered before more is sent, so that neither side can fill the other's buffers.
    private static let entryLimit = 64

    /// After this long without a byte it is asked whether the server is still there, in milliseconds.
    private static let doubt = 1_500

    init(_ handle: OpaquePointer, defaultLimit: Duration, pulse: PostgresPulse) {
        self.handle = handle
        self.pulse = pulse
        self.defaultLimit = defaultLimit
        limit = defaultLimit
    }

    /// Notes what was sent.
    func note(_ entry: Entry) throws {
        entries.append(entry)
        if entries.count >= Self.entryLimit { try settle() }
    }

    /// Waits for the answers to everything that was sent.
    ///
    /// - Throws: ``DatabaseError``: why the first statement that failed did.
    func settle() throws {
        guard !entries.isEmpty else { return }
        if entries.last?.isSynchronization == false { PQsendFlushRequest(handle) }
        _ = try receive()
    }

    /// Waits for the answer to the last statement that was sent.
    func lastAnswer() throws -> PostgresResult {
        PQsendFlushRequest(handle)
        guard let answer = try receive() else { throw DatabaseError(.other, "nothing was asked") }
        return answer
    }

    /// Ends the pipeline and waits; returns the answer to its last statement.
    @discardableResult
    func synchronize() throws -> PostgresResult? {
        try synchronizeLater()
        return try receive()
    }

    /// Ends the pipeline; the answers are read before those of the next one.
    func synchronizeLater() throws {
        guard PQpipelineSync(handle) == 1 else { throw lost("", failure(nil, "").detail) }
        entries.append(.synchronization)
    }

    /// Reads the answers to everything that was sent, and returns the last one.
    private func receive() throws -> PostgresResult? {
        guard PQflush(handle) >= 0 else { throw lost("", failure(nil, "").detail) }
        var answer: PostgresResult?
        var problem: DatabaseError?
        var place = 0
        // Whatever happens, nothing is read twice: a connection that breaks here is not used again.
        defer { entries.removeAll(keepingCapacity: true) }
        while place < entries.count {
            let entry = entries[place]
            place += 1
            let result = try next(entry)
            if case .synchronization = entry { continue }
            switch result.status {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: answer = result
            default:
                if case .preparation(_, let onFailure) = entry { onFailure() }
                if result.status != PGRES_PIPELINE_ABORTED, problem == nil {
                    problem = result.withHandle { failure($0, entry.sql) }
                    // The server said so itself, but whether before or after it had committed cannot be told.
                    if entry.isCommit, let error = problem, error.kind == .unavailable {
                        problem = DatabaseError(.unknownOutcome, error.detail)
                    }
                }
                if !entries[place...].contains(where: \.isSynchronization) {
                    guard PQpipelineSync(handle) == 1 else { throw lost(entry.sql, failure(nil, entry.sql).detail) }
                    entries.append(.synchronization)
                }
            }
        }
        if let problem { throw problem }
        return answer
    }

    /// The whole answer to one entry: its last result.
    private func next(_ entry: Entry) throws -> PostgresResult {
        var last: PostgresResult?
        while true {
            try wait(for: entry)
            guard let result = PQgetResult(handle) else {
                guard let last else { throw lost(entry.sql, failure(nil, entry.sql).detail) }
                return last
            }
            let owned = PostgresResult(result)
            // A synchronization is one result, with nothing behind it.
            if owned.status == PGRES_PIPELINE_SYNC { return owned }
            last = owned
        }
    }

    /// Waits until a result can be read, a little longer than the server is allowed to take.
    ///
    /// The server's own limit does not help against a server, or a network, that has stopped.
    private func wait(for entry: Entry) throws {
        let milliseconds = max(limit.wholeMilliseconds, 3_000) + 2_000
        let deadline = monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
        while PQisBusy(handle) == 1 {
            let now = monotonicNanoseconds()
            let rest = deadline > now ? (deadline - now) / 1_000_000 + 1 : 0
            var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
            let ready = poll(&descriptor, 1, Int32(min(rest, UInt64(Self.doubt))))
            if ready < 0, errno == EINTR { continue }
            if ready == 0, rest > Self.doubt, pulse.isThere() { continue }
            guard ready > 0 else { throw lost(entry.sql, "the server did not answer in time") }
            guard PQconsumeInput(handle) == 1 else { throw lost(entry.sql, String(cString: PQerrorMessage(handle))) }
        }
    }

    /// A connection that can no longer be used; when a commit was under way, nobody knows what became of it.
    private func lost(_ sql: String, _ detail: String) -> DatabaseError {
        let isCommitting = entries.contains { $0.isCommit }
        return DatabaseError(isCommitting ? .unknownOutcome : .unavailable, "\(detail) in \(sql)")
    }

    /// What a result, or the state of the connection, says of a failure.
    func failure(_ answer: OpaquePointer?, _ sql: String) -> DatabaseError {
        let text = "\(String(cString: PQerrorMessage(handle))) in \(sql)"
        guard PQstatus(handle) == CONNECTION_OK else { return DatabaseError(.unavailable, text) }
        let state = answer.flatMap { PQresultErrorField($0, 67) }.map { String(cString: $0) } ?? ""
        let detail = answer.map { "\(String(cString: PQresultErrorMessage($0))) in \(sql)" } ?? text
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
        return DatabaseError(kind, detail)
    }
}

extension Duration {
    /// Milliseconds, rounded down.
    var wholeMilliseconds: Int {
        Int(clamping: components.seconds) * 1_000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
