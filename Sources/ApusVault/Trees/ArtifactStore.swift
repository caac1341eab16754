package import ApusDatabase
package import ApusKernel
package import NIOCore

/// Artifacts by their keys: the tree in the database, the bytes in a blob store.
package struct ArtifactStore: Sendable {
    /// Where the bytes are.
    package let blobs: any BlobStore
    private let database: Database
    private let clock: any WallClock

    /// - Parameters:
    ///   - blobs: Where the bytes are.
    ///   - database: Has ``ArtifactTree/migrations``.
    ///   - clock: Tells when a file was put, and how old blobs are.
    package init(blobs: any BlobStore, database: Database, clock: any WallClock = SystemWallClock()) {
        self.blobs = blobs
        self.database = database
        self.clock = clock
    }

    /// Stores a stream as a file, replacing one of the same name.
    ///
    /// The file appears with its last byte on disk, or not at all.
    ///
    /// - Parameters:
    ///   - bytes: The content.
    ///   - key: The file.
    ///   - expectation: What the content must be.
    ///   - recording: Runs in the transaction that makes the file appear, for an audit line and the like.
    /// - Returns: The file.
    /// - Throws: What ``BlobStore/write(_:expecting:)`` and ``ArtifactTree/put(_:at:milliseconds:in:)`` throw.
    @discardableResult
    package func write<Bytes: AsyncSequence & Sendable>(
        _ bytes: Bytes,
        at key: ArtifactKey,
        expecting expectation: BlobExpectation = .anything,
        recording: @escaping @Sendable (Transaction, ArtifactEntry) throws -> Void = { _, _ in }
    ) async throws -> ArtifactEntry where Bytes.Element == ByteBuffer {
        let stored = try await blobs.write(bytes, expecting: expectation)
        return try await put(stored, at: key, recording: recording)
    }

    /// Makes a blob that was stored just now appear as a file, replacing one of the same name.
    @discardableResult
    package func put(
        _ blob: StoredBlob,
        at key: ArtifactKey,
        recording: @escaping @Sendable (Transaction, ArtifactEntry) throws -> Void = { _, _ in }
    ) async throws -> ArtifactEntry {
        let content = ArtifactEntry.Content(digest: blob.digest, sizeBytes: blob.sizeBytes)
        let entry = ArtifactEntry(key: key, content: content, modifiedMilliseconds: clock.milliseconds)
        try await database.write { transaction in
            try ArtifactTree.put(content, at: key, milliseconds: entry.modifiedMilliseconds, in: transaction)
            try recording(transaction, entry)
        }
        return entry
    }

    /// Opens a file.
    ///
    /// - Throws: ``RequestError``: `RESOURCE_DOES_NOT_EXIST` when there is none, `INVALID_PARAMETER_VALUE` for a
    ///   directory, `DATA_LOSS` when its bytes are missing.
    package func open(_ key: ArtifactKey) async throws -> (entry: ArtifactEntry, reader: BlobReader) {
        guard let entry = try await entry(at: key) else {
            throw RequestError(.resourceDoesNotExist, "No such artifact: '\(key)'")
        }
        guard let content = entry.content else { throw RequestError.invalid("'\(key)' is a directory") }
        let reader = try await blobs.open(content.digest)
        guard reader.sizeBytes == content.sizeBytes else {
            throw RequestError(.dataLoss, "The stored content of '\(key)' is damaged. Run 'apus doctor'.")
        }
        return (entry, reader)
    }

    /// The entry of a key, or nil.
    package func entry(at key: ArtifactKey) async throws -> ArtifactEntry? {
        try await database.read { try ArtifactTree.entry(at: key, in: $0) }
    }

    /// The entries of one directory; see ``ArtifactTree/list(_:after:limit:in:)``.
    package func list(
        _ directory: ArtifactKey?,
        after: String? = nil,
        limit: Int = 10_000
    ) async throws -> [ArtifactEntry] {
        try await database.read { try ArtifactTree.list(directory, after: after, limit: limit, in: $0) }
    }

    /// The files below a directory; see ``ArtifactTree/files(within:after:limit:in:)``.
    package func files(
        within directory: ArtifactKey,
        after: ArtifactKey? = nil,
        limit: Int = 10_000
    ) async throws -> [ArtifactEntry] {
        try await database.read { try ArtifactTree.files(within: directory, after: after, limit: limit, in: $0) }
    }

    /// How many files and directories there are, and the sizes of the files together.
    package func usage() async throws -> TableUsage {
        try await database.read { try $0.usage("Artifacts", of: "artifact_entries", adding: "size_bytes") }
    }

    /// Removes a file, or a directory with all that is below it.
    ///
    /// - Parameters:
    ///   - key: What is removed.
    ///   - recording: Runs in the same transaction, if something was removed.
    /// - Returns: The number of files and directories that were removed.
    /// - Throws: ``DatabaseError``, or what `recording` throws.
    @discardableResult
    package func delete(
        _ key: ArtifactKey,
        recording: @escaping @Sendable (Transaction) throws -> Void = { _ in }
    ) async throws -> Int {
        try await database.write { transaction in
            let removed = try ArtifactTree.delete(key, in: transaction)
            if removed > 0 { try recording(transaction) }
            return removed
        }
    }

    /// Removes the blobs that neither a file nor anything else refers to.
    ///
    /// - Parameters:
    ///   - grace: Blobs that were written within this time are kept.
    ///   - dryRun: Whether to count only.
    ///   - otherReferences: Each returns those of the digests that something outside of the tree refers to.
    /// - Returns: What was removed.
    /// - Throws: What asking for references throws, or ``VolumeError``.
    package func sweep(
        olderThan grace: Duration = .seconds(3600),
        dryRun: Bool = false,
        otherReferences: [@Sendable ([Digest]) async throws -> Set<Digest>] = []
    ) async throws -> SweepReport {
        try await blobs.sweep(olderThan: grace, at: clock, dryRun: dryRun) { digests in
            var found = try await database.read { try ArtifactTree.referenced(digests, in: $0) }
            for references in otherReferences { found.formUnion(try await references(digests)) }
            return found
        }
    }
}
