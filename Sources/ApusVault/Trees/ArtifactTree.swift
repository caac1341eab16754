package import ApusDatabase
internal import ApusKernel

/// The names of artifacts and the blobs that they stand for, as rows of a database.
///
/// The functions run inside a transaction of the caller, so that an artifact and the record of its upload are written
/// together. Every directory above an entry has a row of its own, and the entries of one directory are neighbours in
/// the primary key: a listing is one indexed query.
package enum ArtifactTree {
    /// The schema; the composition root applies it.
    package static let migrations = [
        Migration(
            "vault-0001-artifact-entries",
            [
                """
                CREATE TABLE artifact_entries (
                    parent TEXT NOT NULL,
                    name TEXT NOT NULL,
                    is_dir INTEGER NOT NULL CHECK (is_dir IN (0, 1)),
                    digest TEXT,
                    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
                    modified_ms INTEGER NOT NULL,
                    PRIMARY KEY (parent, name),
                    CHECK ((is_dir = 1 AND digest IS NULL) OR (is_dir = 0 AND digest IS NOT NULL))
                ) STRICT, WITHOUT ROWID
                """,
                "CREATE INDEX artifact_entries_digest ON artifact_entries (digest)",
            ]
        )
    ]

    /// Puts a file, replacing one of the same name, and makes the directories above it.
    ///
    /// - Parameters:
    ///   - content: The blob that the file stands for.
    ///   - key: The file.
    ///   - milliseconds: The time of the change, since the Unix epoch.
    ///   - transaction: Makes the change.
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE` when the key is a directory, or lies below a file.
    package static func put(
        _ content: ArtifactEntry.Content,
        at key: ArtifactKey,
        milliseconds: Int64,
        in transaction: Transaction
    ) throws {
        if let parent = key.parent { try makeDirectories(parent, milliseconds: milliseconds, in: transaction) }
        let changed = try transaction.executeAndCount(
            """
            INSERT INTO artifact_entries (parent, name, is_dir, digest, size_bytes, modified_ms)
            VALUES (?, ?, 0, ?, ?, ?)
            ON CONFLICT (parent, name) DO UPDATE
            SET digest = excluded.digest, size_bytes = excluded.size_bytes, modified_ms = excluded.modified_ms
            WHERE artifact_entries.is_dir = 0
            """,
            parentAndName(key) + [.text(content.digest.hex), .integer(content.sizeBytes), .integer(milliseconds)]
        )
        guard changed > 0 else { throw RequestError.invalid("'\(key)' is a directory; a file cannot replace it") }
    }

    /// The entry of a key, or nil.
    package static func entry(at key: ArtifactKey, in transaction: Transaction) throws -> ArtifactEntry? {
        try transaction.first(
            """
            SELECT is_dir, digest, size_bytes, modified_ms
            FROM artifact_entries
            WHERE parent = ? AND name = ?
            """,
            parentAndName(key)
        ) { row in try entry(key, row, firstColumn: 0) }
    }

    /// The entries of one directory, ordered by the bytes of their names; none for a file or a missing directory.
    ///
    /// - Parameters:
    ///   - directory: Nil for the root.
    ///   - after: The last name of the page before, or nil for the first page.
    ///   - limit: The most entries.
    ///   - transaction: Reads them.
    /// - Returns: A page.
    /// - Throws: ``DatabaseError``.
    package static func list(
        _ directory: ArtifactKey?,
        after: String? = nil,
        limit: Int,
        in transaction: Transaction
    ) throws -> [ArtifactEntry] {
        try transaction.query(
            """
            SELECT name, is_dir, digest, size_bytes, modified_ms
            FROM artifact_entries
            WHERE parent = ? AND name > ?
            ORDER BY name
            LIMIT ?
            """,
            [.text(directory?.path ?? ""), .text(after ?? ""), .integer(Int64(limit))]
        ) { row in
            let name = try ArtifactKey(stored: row.text(0))
            return try entry(directory.map { $0.joined(name) } ?? name, row, firstColumn: 1)
        }
    }

    /// The files below a directory at any depth, ordered by the bytes of their directory, then of their name.
    ///
    /// - Parameters:
    ///   - directory: The directory; its own name is part of the keys that are returned.
    ///   - after: The last key of the page before, or nil for the first page.
    ///   - limit: The most files.
    ///   - transaction: Reads them.
    /// - Returns: A page.
    /// - Throws: ``DatabaseError``.
    package static func files(
        within directory: ArtifactKey,
        after: ArtifactKey? = nil,
        limit: Int,
        in transaction: Transaction
    ) throws -> [ArtifactEntry] {
        try transaction.query(
            """
            SELECT parent, name, is_dir, digest, size_bytes, modified_ms
            FROM artifact_entries
            WHERE (parent = ? OR (parent >= ? AND parent < ?)) AND (parent, name) > (?, ?) AND is_dir = 0
            ORDER BY parent, name
            LIMIT ?
            """,
            withinValues(directory) + (after.map(parentAndName) ?? ["", ""]) + [.integer(Int64(limit))]
        ) { row in
            let key = try ArtifactKey(stored: row.text(0)).joined(ArtifactKey(stored: row.text(1)))
            return try entry(key, row, firstColumn: 2)
        }
    }

    /// Removes a file, or a directory with all that is below it.
    ///
    /// The blobs stay until a sweep. The result is the number of files and directories that were removed.
    @discardableResult
    package static func delete(_ key: ArtifactKey, in transaction: Transaction) throws -> Int {
        let removed = try transaction.executeAndCount(
            "DELETE FROM artifact_entries WHERE parent = ? AND name = ?",
            parentAndName(key)
        )
        guard removed > 0 else { return 0 }
        if transaction.dialect == .postgres { try holdDirectories(within: key, in: transaction) }
        return try removed
            + transaction.executeAndCount(
                "DELETE FROM artifact_entries WHERE parent = ? OR (parent >= ? AND parent < ?)",
                withinValues(key)
            )
    }

    /// Those of the digests that some file refers to.
    package static func referenced(_ digests: [Digest], in transaction: Transaction) throws -> Set<Digest> {
        let found = try transaction.query(
            "SELECT DISTINCT digest FROM artifact_entries WHERE digest IN (?*)",
            [.texts(digests.map(\.hex))]
        ) { row in Digest(hex: row.text(0)) }
        return Set(found.compactMap { $0 })
    }
}

extension ArtifactTree {
    /// Makes a directory and those above it.
    private static func makeDirectories(
        _ directory: ArtifactKey,
        milliseconds: Int64,
        in transaction: Transaction
    ) throws {
        var missing: [ArtifactKey] = []
        var next: ArtifactKey? = directory
        // The directory itself is there most of the time, and then all above it are.
        while let key = next, try !isDirectory(key, in: transaction) {
            missing.append(key)
            next = key.parent
        }
        guard !missing.isEmpty else { return }
        let columns: [(name: String, values: BulkInsert.Values)] = [
            ("parent", .texts(missing.map { $0.parent?.path ?? "" })),
            ("name", .texts(missing.map(\.name))),
            ("is_dir", .integers(missing.map { _ in 1 })),
            ("size_bytes", .integers(missing.map { _ in 0 })),
            ("modified_ms", .integers(missing.map { _ in milliseconds })),
        ]
        let added = try transaction.insertAndCount(
            BulkInsert(into: "artifact_entries", columns, conflict: "ON CONFLICT (parent, name) DO NOTHING")
        )
        guard added < missing.count else { return }
        // Others made some of them meanwhile: perhaps as files, and perhaps they are removed again.
        for key in missing where try !isDirectory(key, in: transaction) {
            throw DatabaseError(.serialization, "the directory of an artifact is gone again")
        }
    }

    /// Whether a directory exists; on PostgreSQL it then exists until the transaction ends.
    ///
    /// - Throws: ``RequestError`` when it is a file.
    private static func isDirectory(_ key: ArtifactKey, in transaction: Transaction) throws -> Bool {
        let lock = transaction.dialect == .postgres ? " FOR KEY SHARE" : ""
        let found = try transaction.first(
            "SELECT is_dir FROM artifact_entries WHERE parent = ? AND name = ?\(lock)",
            parentAndName(key)
        ) { $0.integer(0) == 1 }
        guard let found else { return false }
        guard found else { throw RequestError.invalid("'\(key)' is a file; nothing can be put below it") }
        return true
    }

    /// Waits for the writers in the directories below one that is being removed, and holds further ones back.
    ///
    /// A writer holds its directory and then wants its file. So all directories come first here, and each in order:
    /// taken together with the files they would make two transactions wait for each other.
    private static func holdDirectories(within directory: ArtifactKey, in transaction: Transaction) throws {
        var heldCount = -1
        while true {
            let count = try transaction.query(
                """
                SELECT 1
                FROM artifact_entries
                WHERE (parent = ? OR (parent >= ? AND parent < ?)) AND is_dir = 1
                ORDER BY parent, name
                FOR UPDATE
                """,
                withinValues(directory)
            ) { _ in () }.count
            // What a writer made while this waited for it shows only to the next statement.
            if count == heldCount { return }
            heldCount = count
        }
    }

    private static func entry(_ key: ArtifactKey, _ row: Row, firstColumn: Int32) throws -> ArtifactEntry {
        var content: ArtifactEntry.Content?
        if row.integer(firstColumn) == 0 {
            guard let digest = Digest(hex: row.text(firstColumn + 1)) else {
                throw DatabaseError(.damaged, "artifact '\(key)' has no digest")
            }
            content = ArtifactEntry.Content(digest: digest, sizeBytes: row.integer(firstColumn + 2))
        }
        return ArtifactEntry(key: key, content: content, modifiedMilliseconds: row.integer(firstColumn + 3))
    }

    private static func parentAndName(_ key: ArtifactKey) -> [SQLValue] {
        [.text(key.parent?.path ?? ""), .text(key.name)]
    }

    /// The directory itself, and the range of those below: `0` is the character after `/`.
    private static func withinValues(_ directory: ArtifactKey) -> [SQLValue] {
        [.text(directory.path), .text("\(directory.path)/"), .text("\(directory.path)0")]
    }
}
