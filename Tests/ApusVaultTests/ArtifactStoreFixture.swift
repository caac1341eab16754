import ApusDatabase
import ApusKernel
import ApusVault
import FoundationEssentials
import Glibc
import Logging

/// A vault with its tree in a fresh database.
struct ArtifactStoreFixture: Sendable {
    let vault: VaultFixture
    let database: Database
    let artifacts: ArtifactStore

    /// SQLite, and PostgreSQL where the environment names a database for tests.
    static var databases: [Dialect] {
        postgresURL == nil ? [.sqlite] : [.sqlite, .postgres]
    }

    private static var postgresURL: String? {
        getenv("APUS_TEST_POSTGRES").map { String(cString: $0) }
    }

    /// Runs `body` with an empty store.
    static func with(
        _ dialect: Dialect,
        clock: any WallClock = SystemWallClock(),
        _ body: (ArtifactStoreFixture) async throws -> Void
    ) async throws {
        try await VaultFixture.with { vault in
            let schema = "vault_\(UInt64.random(in: .min ... .max))"
            let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            var location = Database.Location.sqlite(path: "\(vault.path)/apus.sqlite")
            if dialect == .postgres, let url = postgresURL {
                let plain = try Database(.postgres(url: url), logger: logger)
                try await plain.write { _ = try $0.execute("CREATE SCHEMA \(schema)") }
                await plain.close()
                location = .postgres(url: "\(url)\(url.contains("?") ? "&" : "?")options=-csearch_path%3D\(schema)")
            }
            let database = try Database(location, logger: logger)
            try await database.migrate(ArtifactTree.migrations)
            let artifacts = ArtifactStore(blobs: vault.store, database: database, clock: clock)
            do {
                try await body(ArtifactStoreFixture(vault: vault, database: database, artifacts: artifacts))
            } catch {
                await database.close()
                throw error
            }
            if dialect == .postgres {
                try await database.write { _ = try $0.execute("DROP SCHEMA \(schema) CASCADE") }
            }
            await database.close()
        }
    }

    /// Puts a small file.
    @discardableResult
    func put(_ path: String, seed: UInt64 = 1) async throws -> ArtifactEntry {
        try await artifacts.write(Chunks(sizeBytes: 10, seed: seed), at: ArtifactKey(validating: path))
    }

    /// The names in a directory; those of directories end in `/`.
    func names(_ path: String?) async throws -> [String] {
        try await artifacts.list(path.map { try ArtifactKey(validating: $0) })
            .map { $0.key.name + ($0.isDirectory ? "/" : "") }
    }
}

/// A clock that tests set.
struct FixedClock: WallClock {
    var milliseconds: Int64
}
