import ApusDatabase
import ApusKernel
package import ApusVault
package import NIOCore

/// The bytes of datasets' files: each content a blob of its own, or a part of a pack.
///
/// A blob is a file that is made durable and gets its place by itself, which takes far longer than to write a few
/// thousand bytes. So small contents that come together are written as one blob, the pack, and the database tells
/// where each of them lies. A part is checked against its own digest when it is read: a damaged byte takes one content
/// and not the others of its pack.
package struct ContentStore: Sendable {
    let store: DatasetStore
    package let blobs: any BlobStore
    private let damaged = DamagedContents()

    /// Rows of the database at a time.
    private static let pageCount = 2_000

    package init(store: DatasetStore, blobs: any BlobStore) {
        self.store = store
        self.blobs = blobs
    }

    // MARK: Writing

    /// Stores some small contents.
    ///
    /// - Returns: Their names, in their order; all of them are on disk.
    /// - Throws: As ``BlobStore``.
    package func write(_ contents: [ByteBuffer]) async throws -> [Digest] {
        let named = contents.map { content in
            (digest: content.withUnsafeReadableBytes { Digest(hashing: $0) }, content: content)
        }
        try await write(named)
        return named.map(\.digest)
    }

    /// Stores some small contents whose digests are known to be theirs.
    func write(_ contents: [(digest: Digest, content: ByteBuffer)]) async throws {
        var seen = try await renew(Array(Set(contents.map(\.digest))))
        let fresh = contents.filter { seen.insert($0.digest).inserted }
        // A pack of one would be that content itself.
        if fresh.count == 1 {
            for (digest, content) in fresh {
                _ = try await blobs.write(content)
                if damaged.contains(digest) { try await forgetPacked(digest) }
            }
        } else if !fresh.isEmpty {
            try await writePack(fresh)
        }
    }

    /// Takes a damaged content out of its pack, when it has a blob of its own.
    private func forgetPacked(_ digest: Digest) async throws {
        try await store.database.write { transaction in
            try transaction.execute("DELETE FROM dataset_packed WHERE digest = ?", [.text(digest.hex)])
        }
        damaged.forget([digest])
    }

    private func writePack(_ contents: [(digest: Digest, content: ByteBuffer)]) async throws {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(contents.reduce(0) { $0 + $1.content.readableBytes })
        var positions: [Int64] = []
        for (_, content) in contents {
            positions.append(Int64(bytes.readableBytes))
            bytes.writeImmutableBuffer(content)
        }
        let stored = try await blobs.write(bytes)
        let columns = (
            digests: contents.map(\.digest.hex), positions: positions,
            sizes: contents.map { Int64($0.content.readableBytes) }
        )
        try await store.database.write { transaction in
            // A row of its own even for a pack that was there before: whoever forgets the old one leaves this alone.
            let id = try transaction.first(
                "INSERT INTO dataset_packs (digest) VALUES (?) RETURNING pack_id",
                [.text(stored.digest.hex)]
            ) { $0.integer(0) }
            guard let id else { throw DatabaseError(.other, "no identifier was returned") }
            try transaction.insert(
                BulkInsert(
                    into: "dataset_packed",
                    [
                        ("digest", .texts(columns.digests)), ("pack_id", .integers(columns.digests.map { _ in id })),
                        ("position", .integers(columns.positions)), ("size_bytes", .integers(columns.sizes)),
                    ],
                    conflict: """
                        ON CONFLICT (digest) DO UPDATE SET pack_id = excluded.pack_id, position = excluded.position,
                            size_bytes = excluded.size_bytes
                        """
                )
            )
        }
        damaged.forget(contents.map(\.digest))
    }

    /// Those of some contents that are there already, and count as written now, so that no sweep takes them before
    /// someone refers to them.
    private func renew(_ digests: [Digest]) async throws -> Set<Digest> {
        var present: Set<Digest> = []
        let packed = try await locations(of: digests).filter { !damaged.contains($0.key) }
        for (pack, contents) in Dictionary(grouping: packed, by: \.value.pack) where try await blobs.touch(pack) {
            present.formUnion(contents.map(\.key))
        }
        let rest = digests.filter { !present.contains($0) }
        for status in try await blobs.statuses(of: rest) where try await blobs.touch(status.digest) {
            present.insert(status.digest)
        }
        return present
    }

    // MARK: Reading

    /// Opens a content that someone refers to.
    ///
    /// - Throws: ``RequestError`` `DATA_LOSS` when it is missing.
    package func open(_ digest: Digest) async throws -> BlobReader {
        guard let location = try await locations(of: [digest])[digest] else { return try await blobs.open(digest) }
        return try await open(digest, at: location)
    }

    private func open(_ digest: Digest, at location: PackedContent) async throws -> BlobReader {
        // The pack of a row that outlived it is gone, and the content has been written again.
        guard try await blobs.contains(location.pack) else { return try await blobs.open(digest) }
        let source = PackedSource(
            digest: digest,
            location: location,
            pack: try await blobs.open(location.pack),
            damages: damaged
        )
        return BlobReader(digest: digest, sizeBytes: location.sizeBytes, source: source)
    }

    /// Contents of some bytes each, in their order, which are read together.
    ///
    /// - Throws: ``RequestError`` `DATA_LOSS` when one is missing or damaged.
    func read(_ digests: [Digest]) async throws -> [ByteBuffer] {
        let located = try await locations(of: Array(Set(digests)))
        var packs: [Digest: BlobReader] = [:]
        var contents: [ByteBuffer] = []
        contents.reserveCapacity(digests.count)
        for digest in digests {
            guard let location = located[digest] else {
                contents.append(try await blobs.open(digest).collect(upTo: .max))
                continue
            }
            if packs[location.pack] == nil, try await blobs.contains(location.pack) {
                packs[location.pack] = try await blobs.open(location.pack)
            }
            guard let pack = packs[location.pack] else {
                contents.append(try await blobs.open(digest).collect(upTo: .max))
                continue
            }
            contents.append(
                try await PackedSource(
                    digest: digest,
                    location: location,
                    pack: pack,
                    damages: damaged
                ).content()
            )
        }
        return contents
    }

    /// The sizes of those of some contents that are there.
    func sizes(of digests: [Digest]) async throws -> [Digest: Int64] {
        let packed = try await locations(of: digests)
        // A row tells nothing of a pack that was lost.
        let packs = Set(try await blobs.statuses(of: Array(Set(packed.values.map(\.pack)))).map(\.digest))
        var sizes = packed.filter { packs.contains($0.value.pack) }.mapValues(\.sizeBytes)
        let rest = digests.filter { sizes[$0] == nil }
        for start in stride(from: 0, to: rest.count, by: Self.pageCount) {
            let page = Array(rest[start..<min(start + Self.pageCount, rest.count)])
            for status in try await blobs.statuses(of: page) { sizes[status.digest] = status.sizeBytes }
        }
        return sizes
    }

    /// The contents that lie in a pack; none for a blob that is no pack.
    func digests(inPack pack: Digest) async throws -> [Digest] {
        try await store.database.read { transaction in
            try transaction.query(
                """
                SELECT c.digest FROM dataset_packed c JOIN dataset_packs k ON k.pack_id = c.pack_id
                WHERE k.digest = ? ORDER BY c.position
                """,
                [.text(pack.hex)]
            ) { Digest(hex: $0.text(0)) }
        }.compactMap { $0 }
    }

    private func locations(of digests: [Digest]) async throws -> [Digest: PackedContent] {
        var found: [Digest: PackedContent] = [:]
        for start in stride(from: 0, to: digests.count, by: Self.pageCount) {
            let page = digests[start..<min(start + Self.pageCount, digests.count)].map(\.hex)
            let rows = try await store.database.read { transaction in
                try transaction.query(
                    """
                    SELECT c.digest, k.digest, c.position, c.size_bytes
                    FROM dataset_packed c JOIN dataset_packs k ON k.pack_id = c.pack_id WHERE c.digest IN (?*)
                    """,
                    [.texts(page)]
                ) { row in
                    (Digest(hex: row.text(0)), Digest(hex: row.text(1)), row.integer(2), row.integer(3))
                }
            }
            for case (let digest?, let pack?, let position, let size) in rows {
                found[digest] = PackedContent(pack: pack, position: position, sizeBytes: size)
            }
        }
        return found
    }
}
