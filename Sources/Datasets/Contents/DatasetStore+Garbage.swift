import ApusDatabase
import ApusKernel
package import ApusVault

extension DatasetStore {
    /// Those of the digests that some dataset refers to, that were sent lately, that are packs of such contents,
    /// or that are records that wait.
    package func referenced(_ digests: [Digest]) async throws -> Set<Digest> {
        let cutoff = clock.milliseconds - Self.uploadRetention
        let texts = digests.map(\.hex)
        return try await database.read { transaction in
            let found = try transaction.query(
                """
                SELECT digest FROM dataset_blobs WHERE digest IN (?*)
                UNION
                SELECT digest FROM dataset_uploads WHERE digest IN (?*) AND upload_time > ?
                UNION
                SELECT k.digest FROM dataset_packs k WHERE k.digest IN (?*) AND (
                    EXISTS (
                        SELECT 1 FROM dataset_packed c JOIN dataset_blobs b ON b.digest = c.digest
                        WHERE c.pack_id = k.pack_id
                    ) OR EXISTS (
                        SELECT 1 FROM dataset_packed c JOIN dataset_uploads u ON u.digest = c.digest
                        WHERE c.pack_id = k.pack_id AND u.upload_time > ?
                    )
                )
                UNION
                SELECT digest FROM dataset_record_batches WHERE version IS NULL AND digest IN (?*)
                """,
                [
                    .texts(texts), .texts(texts), .integer(cutoff), .texts(texts), .integer(cutoff), .texts(texts),
                ]
            ) { Digest(hex: $0.text(0)) }
            return Set(found.compactMap { $0 })
        }
    }

    /// Forgets the packs that a sweep has taken.
    package func forgetPacks(missingFrom blobs: any BlobStore) async throws {
        var last: Int64 = 0
        while true {
            let (after, page) = (last, try await packs(after: last))
            guard let end = page.last else { return }
            last = end.id
            let present = Set(try await blobs.statuses(of: page.map(\.digest)).map(\.digest))
            let gone = page.filter { !present.contains($0.digest) }.map(\.id)
            guard !gone.isEmpty else { continue }
            try await database.write { transaction in
                try transaction.execute(
                    "DELETE FROM dataset_packs WHERE pack_id > ? AND pack_id IN (?*)",
                    [.integer(after), .integers(gone)]
                )
            }
        }
    }

    private func packs(after id: Int64) async throws -> [(id: Int64, digest: Digest)] {
        try await database.read { transaction in
            try transaction.query(
                "SELECT pack_id, digest FROM dataset_packs WHERE pack_id > ? ORDER BY pack_id LIMIT 1000",
                [.integer(id)]
            ) { row in (row.integer(0), Digest(hex: row.text(1))) }
        }.compactMap { id, digest in digest.map { (id, $0) } }
    }
}
