import ApusKernel
package import ApusVault
package import NIOCore

/// Takes records in, and makes versions of them.
///
/// A batch is acknowledged when its lines are in the Vault and its row is in the database, both on disk. It is in exactly
/// one version: the transaction that makes the version takes note of that in the batch's row, and fails if it was noted
/// before. Whatever was written for a version that was not made is swept.
package struct RecordInbox: Sendable {
    private let store: DatasetStore
    private let blobs: any BlobStore
    private let tree: VersionTree

    package init(store: DatasetStore, blobs: any BlobStore, tree: VersionTree) {
        self.store = store
        self.blobs = blobs
        self.tree = tree
    }

    /// How often a commit is tried while others move the branch.
    private static let attempts = 20

    /// Takes a batch of JSON lines.
    ///
    /// - Parameters:
    ///   - bytes: The lines as they come.
    ///   - key: What the sender calls the batch, by which it may send it again without harm.
    ///   - dataset: Its name.
    /// - Returns: The batch, and whether it was taken now; else it is the one that was taken before.
    /// - Throws: ``DatasetsError``: `invalidRecords`, of which nothing is kept, `datasetNotFound`, `keyReused`,
    ///   `tooManyPending`; what `bytes` throws.
    package func receive<Bytes: AsyncSequence & Sendable>(
        _ bytes: Bytes,
        key: String?,
        for dataset: String
    ) async throws -> (batch: RecordBatch, isNew: Bool) where Bytes.Element == ByteBuffer {
        if let key {
            let isPlain = key.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
            guard isPlain, (1...RecordBatch.maximumKeyLength).contains(key.utf8.count) else {
                throw RequestError.invalid(
                    "Idempotency-Key has 1 to \(RecordBatch.maximumKeyLength) printable characters of ASCII."
                )
            }
        }
        // Before the bytes: nobody should send them in vain.
        let dataset = try await store.dataset(dataset)
        let lines = RecordLines(bytes)
        let blob = try await blobs.write(lines)
        return try await store.addRecords(blob, recordCount: lines.count, key: key, to: dataset)
    }

    /// Makes a version with one new file of all records that wait.
    ///
    /// - Returns: The version, or nil when no records wait.
    /// - Throws: ``DatasetsError``; `moved` when others moved the branch again and again.
    package func commit(_ name: String, branch: String? = nil, message: String? = nil) async throws -> DatasetVersion? {
        var lastError: any Error = DatasetStore.RecordsTaken()
        for _ in 0..<Self.attempts {
            let dataset = try await store.dataset(name)
            let batches = try await store.pendingRecords(of: dataset)
            guard let first = batches.first, let last = batches.last else { return nil }
            let entry = try await file(of: batches)
            let head = try await store.head(of: branch ?? dataset.defaultBranch, in: dataset)
            let root =
                if let head { try await tree.apply([.put(entry)], to: head.root) } else {
                    try await tree.build([entry])
                }
            var version = try await DatasetStore.NewVersion(root, in: tree, replacing: head?.root)
            version.message = message ?? "\(last.lastRecord - first.firstRecord + 1) records"
            version.origin = .records(first.firstRecord, last.lastRecord)
            do {
                let now = store.clock.milliseconds
                return try await store.commit(version, to: dataset, branch: branch, on: .exactly(head?.number)) {
                    try DatasetStore.settle(batches, in: $1.number, dataset, now: now, $0)
                }.version
            } catch let error as DatasetsError {
                guard case .moved = error else { throw error }
                lastError = error
            } catch let error as DatasetStore.RecordsTaken {
                lastError = error
            }
        }
        throw lastError is DatasetStore.RecordsTaken
            ? RequestError(.temporarilyUnavailable, "Others are committing the same records.") : lastError
    }

    /// The file of batches: their lines one after the other.
    private func file(of batches: [RecordBatch]) async throws -> FileEntry {
        guard let first = batches.first, let last = batches.last else {
            throw RequestError(.internalError, "There are no batches.")
        }
        // Of when the first came, so that the same batches have the same name whenever they are committed.
        let date = CivilTime(secondsSince1970: first.created / 1000).date.split(separator: "-").joined(separator: "/")
        let path = try FilePath(
            validating: "records/\(date)/\(Self.padded(first.firstRecord))-\(Self.padded(last.lastRecord)).jsonl"
        )
        let stored = try await blobs.write(JoinedBlobs(blobs: blobs, digests: batches.map(\.digest)))
        return FileEntry(path: path, digest: stored.digest, sizeBytes: stored.sizeBytes)
    }

    /// With zeros before it, so that names order as their numbers do.
    private static func padded(_ number: Int64) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, 12 - text.utf8.count)) + text
    }
}

extension VersionOrigin {
    /// Records that were pushed, by the numbers of the first and the last.
    package static func records(_ first: Int64, _ last: Int64) -> VersionOrigin {
        VersionOrigin("records", "\(first)-\(last)")
    }
}

/// The bytes of blobs one after the other, each checked against its digest.
private struct JoinedBlobs: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let blobs: any BlobStore
    let digests: [Digest]

    /// Has one blob open at a time.
    struct AsyncIterator: AsyncIteratorProtocol {
        let blobs: any BlobStore
        var rest: ArraySlice<Digest>
        var current: BlobBytes.AsyncIterator?

        mutating func next() async throws -> ByteBuffer? {
            while true {
                if let block = try await current?.next() { return block }
                guard let digest = rest.popFirst() else { return nil }
                current = try await blobs.open(digest).bytes.makeAsyncIterator()
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(blobs: blobs, rest: digests[...])
    }
}
