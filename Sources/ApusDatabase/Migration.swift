/// One step of the schema.
///
/// Steps are only ever added, never changed or removed.
package struct Migration: Sendable {
    /// Unique and stable, such as `tracking-0001-runs`.
    package let id: String
    /// Schema statements with SQLite's strict types; see ``Dialect/translateSchema(_:)``.
    package let statements: [String]

    /// What only PostgreSQL needs besides, such as how a column is stored.
    package let postgresStatements: [String]

    package init(_ id: String, _ statements: [String], postgres postgresStatements: [String] = []) {
        self.id = id
        self.statements = statements
        self.postgresStatements = postgresStatements
    }
}

extension Database {
    /// Applies the steps that the database does not have yet, each in a transaction with its own record.
    ///
    /// - Returns: The identifiers of the steps that were applied.
    /// - Throws: ``DatabaseError`` when the database was written by a newer version: it has steps that are unknown here.
    @discardableResult
    package func migrate(_ migrations: [Migration]) async throws -> [String] {
        try await runSchema([
            dialect.translateSchema(
                "CREATE TABLE IF NOT EXISTS apus_migrations (id TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID"
            )
        ])
        let applied = Set(try await appliedMigrations())
        let known = Set(migrations.map(\.id))
        if let unknown = applied.subtracting(known).sorted().first {
            throw DatabaseError(.unavailable, "the database has step '\(unknown)' of a newer version of Apus")
        }
        var added: [String] = []
        for migration in migrations where !applied.contains(migration.id) {
            let record = "INSERT INTO apus_migrations (id) VALUES ('\(migration.id)')"
            let own = dialect == .postgres ? migration.postgresStatements : []
            try await runSchema(migration.statements.map(dialect.translateSchema) + own + [record], step: migration.id)
            added.append(migration.id)
        }
        return added
    }

    /// Whether the database has a table of that name.
    ///
    /// - Throws: ``DatabaseError``.
    package func hasTable(_ name: String) async throws -> Bool {
        let sql =
            switch dialect {
            case .sqlite: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
            case .postgres: "SELECT 1 FROM pg_tables WHERE schemaname = ANY (current_schemas(false)) AND tablename = ?"
            }
        return try await read { try $0.first(sql, [.text(name)]) { _ in true } } ?? false
    }

    /// The steps that the database has, in no order.
    package func appliedMigrations() async throws -> [String] {
        try await read { try $0.query("SELECT id FROM apus_migrations") { $0.text(0) } }
    }
}

/// What the database remembers of a step.
enum MigrationRecord {
    static let find = "SELECT 1 FROM apus_migrations WHERE id = ?"
}
