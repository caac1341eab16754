package import Logging

/// What a database must offer behind ``Database``.
protocol DatabaseBackend: Sendable {
    var dialect: Dialect { get }
    var waitingWrites: Int { get }
    var waitingReads: Int { get }
    func write<T: Sendable>(
        subject: String?,
        _ body: @escaping @Sendable (Transaction) throws -> T
    ) async throws -> T
    func read<T: Sendable>(limit: Duration, _ body: @Sendable (Transaction) throws -> T) async throws -> T
    /// Runs statements in one transaction, unless the step of that name was applied meanwhile by another process.
    func runSchema(_ statements: [String], step: String?) async throws
    func close() async
}

/// The metadata of a server: SQLite in a file, or PostgreSQL.
///
/// Transactions are synchronous closures; they run on threads of their own, so nothing blocks the cooperative pool.
package final class Database: Sendable {
    /// Where the metadata lives.
    package enum Location: Sendable, Equatable {
        /// A file on a local volume.
        case sqlite(path: String)
        /// A connection string as libpq takes it.
        case postgres(url: String)
    }

    private let backend: any DatabaseBackend

    /// Opens the database; the schema is brought up by ``migrate(_:)``.
    ///
    /// - Throws: ``DatabaseError`` of kind `unavailable` when the file cannot be opened. PostgreSQL is connected to
    ///   on first use.
    package init(_ location: Location, logger: Logger) throws {
        switch location {
        case .sqlite(let path): backend = try SQLiteBackend(path: path, logger: logger)
        case .postgres(let url): backend = PostgresBackend(url: url, logger: logger)
        }
    }

    /// The database behind this one.
    package var dialect: Dialect { backend.dialect }
    /// The requests that wait for a writer.
    package var waitingWrites: Int { backend.waitingWrites }
    /// The requests that wait for a reader.
    package var waitingReads: Int { backend.waitingReads }

    /// Runs `body` in a transaction and returns when its changes are on disk.
    ///
    /// All of the changes happen or, when `body` throws, none. `body` may run more than once. Writes of one `subject`,
    /// such as `run/` and the identifier of a run, follow one another and are committed together.
    @discardableResult
    package func write<T: Sendable>(
        subject: String? = nil,
        _ body: @escaping @Sendable (Transaction) throws -> T
    ) async throws -> T {
        try await backend.write(subject: subject, body)
    }

    /// Runs `body` on one consistent snapshot and returns what it makes.
    ///
    /// Statements that still run after `limit` are interrupted.
    ///
    /// - Throws: ``DatabaseError``, of kind `timeLimit` for an interrupted statement, or what `body` throws.
    package func read<T: Sendable>(
        limit: Duration = .seconds(10),
        _ body: @Sendable (Transaction) throws -> T
    ) async throws -> T {
        try await backend.read(limit: limit, body)
    }

    /// Waits for running work and closes all connections.
    package func close() async {
        await backend.close()
    }

    func runSchema(_ statements: [String], step: String? = nil) async throws {
        try await backend.runSchema(statements, step: step)
    }
}
