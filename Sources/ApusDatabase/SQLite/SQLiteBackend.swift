internal import Logging

/// SQLite: one writer that groups commits, and readers that each see a snapshot.
final class SQLiteBackend: DatabaseBackend {
    let dialect = Dialect.sqlite
    private let writer: SQLiteWriter
    private let readers: ConnectionPool

    init(path: String, logger: Logger) throws {
        writer = SQLiteWriter(
            try SQLiteConnection(path: path, access: .readWrite, cacheKibibytes: 65_536),
            logger: logger
        )
        readers = ConnectionPool(label: "apus.sqlite.reader", count: 4, patience: .seconds(12)) {
            try SQLiteConnection(path: path, access: .readOnly, cacheKibibytes: 16_384)
        }
    }

    var waitingWrites: Int { writer.waitingCount }
    var waitingReads: Int { readers.waitingCount }

    func write<T: Sendable>(
        subject: String?,
        _ body: @escaping @Sendable (Transaction) throws -> T
    ) async throws -> T {
        let trace = StatementTrace.current
        return try await withCheckedThrowingContinuation { continuation in
            let outcome = JobOutcome<T>()
            writer.submit(
                SQLiteWriter.Job(
                    run: { connection in
                        let transaction = Transaction(connection, trace: trace)
                        outcome.set(try body(transaction), transaction)
                    },
                    finish: { error in continuation.resume(with: outcome.result(error)) }
                )
            )
        }
    }

    func read<T: Sendable>(limit: Duration, _ body: @Sendable (Transaction) throws -> T) async throws -> T {
        let trace = StatementTrace.current
        return try await readers.run { connection in
            guard let connection = connection as? SQLiteConnection else {
                throw DatabaseError(.other, "not a SQLite connection")
            }
            connection.setTimeLimit(limit)
            try connection.run("BEGIN")
            defer {
                connection.setTimeLimit(nil)
                try? connection.run("COMMIT")
            }
            return try body(Transaction(connection, trace: trace))
        }
    }

    func runSchema(_ statements: [String], step: String?) async throws {
        try await writer.runAlone { connection in
            try connection.run("BEGIN IMMEDIATE")
            do {
                var isApplied = false
                if let step {
                    try connection.query(MigrationRecord.find, [.text(step)]) { _ in isApplied = true }
                }
                let statements = isApplied ? [] : statements
                for statement in statements { try connection.run(statement) }
                try connection.run("COMMIT")
            } catch {
                try? connection.run("ROLLBACK")
                throw error
            }
        }
    }

    func close() async {
        await readers.close()
        _ = try? await writer.runAlone { try $0.run("PRAGMA wal_checkpoint(TRUNCATE)") }
    }
}
