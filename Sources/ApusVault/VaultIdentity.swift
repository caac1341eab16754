package import ApusDatabase
package import ApusKernel

#if canImport(Glibc)
    import Glibc
#endif

/// Ties a Vault's folder to the database that refers to it.
///
/// A sweep removes what its database does not refer to. With the database of another server that would be everything,
/// so both sides carry one identifier, and a sweep asks that they agree.
package enum VaultIdentity {
    /// The table of the identifier.
    package static let migrations: [Migration] = [
        Migration(
            "vault-0002-identity",
            [
                "CREATE TABLE vault_identity (place INTEGER NOT NULL PRIMARY KEY CHECK (place = 1), id TEXT NOT NULL) STRICT"
            ]
        )
    ]

    /// Gives both sides an identifier if they have none yet; the folder must exist.
    ///
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE` when they belong to others.
    package static func bind(
        folder: String,
        to database: Database,
        identifiers: any IdentifierSource = RandomIdentifiers()
    ) async throws {
        let onDisk = try read(folder)
        let made = onDisk ?? identifiers.hex32()
        let inDatabase = try await database.write { transaction in
            try transaction.execute(
                "INSERT INTO vault_identity (place, id) VALUES (1, ?) ON CONFLICT DO NOTHING",
                [.text(made)]
            )
            return try transaction.first("SELECT id FROM vault_identity") { $0.text(0) }
        }
        if onDisk == nil, let inDatabase { try write(inDatabase, folder) }
        try await check(folder: folder, with: database)
    }

    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE` unless both sides carry the same identifier.
    package static func check(folder: String, with database: Database) async throws {
        let expected = try await database.read { try $0.first("SELECT id FROM vault_identity") { $0.text(0) } }
        guard let expected, try expected == read(folder) else {
            throw RequestError.invalid(
                "The artifacts in '\(folder)' belong to another database. Give the --data-dir, --database and "
                    + "--artifacts that were used together."
            )
        }
    }

    /// Nil when there is none yet.
    private static func read(_ folder: String) throws -> String? {
        guard let file = fopen("\(folder)/id", "r") else {
            guard errno == ENOENT else { throw unreadable(folder, errno) }
            return nil
        }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 64)
        guard fgets(&line, Int32(line.count), file) != nil else {
            guard ferror(file) == 0 else { throw unreadable(folder, errno) }
            return nil
        }
        let bytes = line.prefix { $0 != 0 && $0 != 0x0A }.map { UInt8(bitPattern: $0) }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    private static func unreadable(_ folder: String, _ code: Int32) -> RequestError {
        RequestError(.temporarilyUnavailable, "'\(folder)/id' cannot be read: \(String(cString: strerror(code))).")
    }

    private static func write(_ id: String, _ folder: String) throws {
        guard WholeFile.make("\(folder)/id", Array("\(id)\n".utf8)) else {
            throw RequestError(.temporarilyUnavailable, "'\(folder)/id' cannot be made.")
        }
    }
}
