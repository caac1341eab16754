import ApusDatabase
import FoundationEssentials

/// A database that rows come from.
enum SQLSource: Sendable, Equatable {
    /// As libpq takes it.
    case postgres(url: String)
    case sqlite(path: String)

    /// The database for people, without the password.
    var shown: String {
        switch self {
        case .sqlite(let path): return path
        case .postgres(let url):
            guard var parts = URLComponents(string: url) else { return "postgres" }
            parts.password = nil
            // Settings after the question mark may hold a password too.
            parts.query = nil
            return parts.string ?? "postgres"
        }
    }

    /// Opens one snapshot of it.
    ///
    /// - Throws: `ForeignDatabaseError`.
    func snapshot(
        statementTimeout: Duration,
        isCancelled: @escaping @Sendable () -> Bool
    ) throws -> any ForeignSnapshot {
        switch self {
        case .postgres(let url):
            try PostgresSnapshot(url: url, statementTimeout: statementTimeout, isCancelled: isCancelled)
        case .sqlite(let path):
            try SQLiteSnapshot(path: path, statementTimeout: statementTimeout, isCancelled: isCancelled)
        }
    }
}
