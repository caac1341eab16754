package import ApusDatabase
import ApusKernel
package import ApusLedger
package import ApusVault
import FoundationEssentials
package import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A fresh database, Vault, Ledger and clock for one test, which are gone after it.
package struct ApusFixture: Sendable {
    package let database: Database
    package let ledger: Ledger
    package let clock: ManualClock
    package let artifacts: ArtifactStore
    /// An empty folder, which holds the database and the Vault.
    package let folder: String
    package let logger: Logger

    /// The databases that tests run on: SQLite always, PostgreSQL when `APUS_TEST_POSTGRES` names one.
    package static let dialects: [Dialect] = postgresURL == nil ? [.sqlite] : [.sqlite, .postgres]

    /// Runs a test and returns what it makes; everything is removed afterwards, also when the test throws.
    ///
    /// `migrations` is the schema of the capability under test; the Ledger's and the Vault's come first.
    package static func with<T>(
        _ dialect: Dialect = .sqlite,
        migrations: [Migration] = [],
        _ body: (ApusFixture) async throws -> T
    ) async throws -> T {
        let folder = try makeFolder()
        defer { removeFolder(folder) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let schema = "apus_test_\(RandomIdentifiers().hex32())"
        let location = try await makeLocation(dialect, folder: folder, schema: schema, logger)
        let database = try Database(location, logger: logger)
        try await database.migrate(Ledger.migrations + ArtifactTree.migrations + migrations)
        let clock = ManualClock()
        let fixture = ApusFixture(
            database: database,
            ledger: Ledger(database: database, clock: clock, logger: logger),
            clock: clock,
            artifacts: ArtifactStore(
                blobs: try LocalBlobStore(path: "\(folder)/vault", logger: logger),
                database: database,
                clock: clock
            ),
            folder: folder,
            logger: logger
        )
        do {
            let value = try await body(fixture)
            try await dropSchema(dialect, schema, logger)
            await database.close()
            return value
        } catch {
            try? await dropSchema(dialect, schema, logger)
            await database.close()
            throw error
        }
    }

    private static var postgresURL: String? { getenv("APUS_TEST_POSTGRES").map { String(cString: $0) } }

    private static func makeLocation(
        _ dialect: Dialect,
        folder: String,
        schema: String,
        _ logger: Logger
    ) async throws -> Database.Location {
        guard dialect == .postgres, let url = postgresURL else { return .sqlite(path: "\(folder)/apus.db") }
        let admin = try Database(.postgres(url: url), logger: logger)
        try await admin.write { try $0.execute("CREATE SCHEMA \(schema)") }
        await admin.close()
        return .postgres(url: "\(url)\(url.contains("?") ? "&" : "?")options=-csearch_path%3D\(schema)")
    }

    private static func dropSchema(_ dialect: Dialect, _ schema: String, _ logger: Logger) async throws {
        guard dialect == .postgres, let url = postgresURL else { return }
        let admin = try Database(.postgres(url: url), logger: logger)
        try await admin.write { try $0.execute("DROP SCHEMA \(schema) CASCADE") }
        await admin.close()
    }

    private static func makeFolder() throws -> String {
        var template = Array("/tmp/apus-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw RequestError(.internalError, "no temporary folder") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func removeFolder(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// A clock that stands still until it is told to move.
package final class ManualClock: WallClock {
    private let now = Mutex<Int64>(1_700_000_000_000)

    package init() {}

    package var milliseconds: Int64 { now.withLock { $0 } }

    /// Moves the clock forward.
    package func advance(milliseconds: Int64) {
        now.withLock { $0 += milliseconds }
    }
}
