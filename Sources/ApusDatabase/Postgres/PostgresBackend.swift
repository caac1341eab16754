internal import Logging
import Synchronization

/// PostgreSQL: a pool of connections, each on a thread of its own.
///
/// The server groups the commits of concurrent connections by itself. Transactions that must not interleave take a
/// lock on their subject; see ``Transaction/lock(_:)``.
final class PostgresBackend: DatabaseBackend {
    let dialect = Dialect.postgres
    private let pool: ConnectionPool
    private let subjects = SubjectQueue()
    private let logger: Logger
    private static let connectionCount = 8
    private static let attempts = 6
    private static let writeLimit = Duration.seconds(30)

    init(url: String, logger: Logger) {
        let bounded = Self.bounding(url)
        self.logger = logger
        let pulse = PostgresPulse(url: bounded)
        pool = ConnectionPool(label: "apus.postgres", count: Self.connectionCount, patience: .seconds(4)) {
            try pulse.check()
            return try PostgresConnection(url: bounded, timeLimit: Self.writeLimit, pulse: pulse)
        }
    }

    /// The address with limits, so that a server that does not answer holds no request for longer than a few seconds;
    /// a limit that the operator's address names is kept.
    private static func bounding(_ url: String) -> String {
        let isURI = url.contains("://")
        return ["connect_timeout=2", "tcp_user_timeout=5000", "keepalives_idle=5"].reduce(url) { url, limit in
            guard !url.contains(limit.prefix { $0 != "=" } + "=") else { return url }
            return url + (isURI ? (url.contains("?") ? "&" : "?") : " ") + limit
        }
    }

    var waitingWrites: Int { pool.waitingCount + subjects.waitingCount }
    var waitingReads: Int { 0 }

    func write<T: Sendable>(
        subject: String?,
        _ body: @escaping @Sendable (Transaction) throws -> T
    ) async throws -> T {
        guard let subject else {
            return try await retrying { try await self.run(limit: Self.writeLimit, body) }
        }
        let outcome = JobOutcome<T>()
        let failure = Mutex<(any Error)?>(nil)
        let job = SubjectQueue.Job(
            run: { outcome.value = try body($0) },
            finish: { error in failure.withLock { $0 = error } }
        )
        await subjects.run(job, of: subject) { jobs in await self.commit(jobs) }
        return try outcome.result(failure.withLock { $0 }).get()
    }

    /// Commits jobs of one subject together; when that fails, each by itself, so that none pays for another.
    private func commit(_ jobs: [SubjectQueue.Job]) async {
        if jobs.count > 1 {
            do {
                let errors = try await retrying {
                    try await self.run(limit: Self.writeLimit) { transaction in
                        try jobs.map { try transaction.inSavepoint($0.run) }
                    }
                }
                for (job, error) in zip(jobs, errors) { job.finish(error) }
                return
            } catch let error as DatabaseError where error.kind == .unknownOutcome {
                for job in jobs { job.finish(error) }
                return
            } catch {
                logger.debug("a group of writes is run one by one", metadata: ["error": "\(error)"])
            }
        }
        for job in jobs {
            do {
                try await retrying { try await self.run(limit: Self.writeLimit, job.run) }
                job.finish(nil)
            } catch {
                job.finish(error)
            }
        }
    }

    /// Tries again when a concurrent transaction won.
    private func retrying<T>(_ body: () async throws -> T) async throws -> T {
        var attempt = 1
        while true {
            do {
                return try await body()
            } catch let error as DatabaseError where error.kind == .serialization && attempt < Self.attempts {
                attempt += 1
                // The caller may be gone, but others' writes may hang on this one: it is tried all the same.
                try? await Task.sleep(for: .milliseconds(Int.random(in: 1...(attempt * 10))))
            }
        }
    }

    func read<T: Sendable>(limit: Duration, _ body: @Sendable (Transaction) throws -> T) async throws -> T {
        try await run(limit: limit, isWrite: false, body)
    }

    func runSchema(_ statements: [String], step: String?) async throws {
        try await run(limit: .seconds(3600)) { transaction in
            // Two servers that start together migrate one after the other.
            try transaction.lock("apus/migrations")
            if let step, try transaction.first(MigrationRecord.find, [.text(step)], { _ in true }) != nil { return }
            for statement in statements { try transaction.execute(statement) }
        }
    }

    func close() async {
        await pool.close()
    }

    private func run<T: Sendable>(
        limit: Duration,
        isWrite: Bool = true,
        _ body: @Sendable (Transaction) throws -> T
    ) async throws -> T {
        let trace = StatementTrace.current
        let (value, actions) = try await pool.run { connection in
            guard let connection = connection as? PostgresConnection else {
                throw DatabaseError(.other, "not a PostgreSQL connection")
            }
            let transaction = Transaction(connection, trace: trace)
            do {
                try connection.begin(isWrite: isWrite, limit: limit)
                let value = try body(transaction)
                if isWrite { try connection.commit() } else { try connection.endRead() }
                return (value, transaction.commitActions)
            } catch let error as DatabaseError where error.kind == .unavailable || error.kind == .unknownOutcome {
                // The connection is given up, and the transaction with it.
                throw error
            } catch {
                try connection.rollBack()
                // A write that took too long is no mistake of its caller.
                if isWrite, let failure = error as? DatabaseError, failure.kind == .timeLimit {
                    throw DatabaseError(.busy, failure.detail)
                }
                throw error
            }
        }
        for action in actions { action() }
        return value
    }
}
