import ApusDatabase
import ApusKernel
package import ApusVault

/// Contents that were sent for a version that is still to come.
extension DatasetStore {
    /// How long a content may wait for a version, in milliseconds: a day.
    static let uploadPatience: Int64 = 86_400_000
    /// How long it is kept from the collector of garbage: an hour more, so that no commit finds what is being removed.
    static let uploadRetention: Int64 = uploadPatience + 3_600_000

    /// Lets a dataset have contents for the next day, within which a version may name them.
    ///
    /// - Throws: ``DatasetsError`` `datasetNotFound` when it was removed meanwhile.
    package func addUploads(_ digests: [Digest], to dataset: Dataset) async throws {
        guard !digests.isEmpty else { return }
        let now = clock.milliseconds
        let distinct = Array(Set(digests))
        try await database.write { transaction in
            try Self.hold(dataset, transaction)
            try transaction.execute(
                "DELETE FROM dataset_uploads WHERE upload_time < ?",
                [.integer(now - Self.uploadRetention)]
            )
            try transaction.insert(
                BulkInsert(
                    into: "dataset_uploads",
                    [
                        ("dataset_id", .integers(distinct.map { _ in dataset.id })),
                        ("digest", .texts(distinct.map(\.hex))),
                        ("upload_time", .integers(distinct.map { _ in now })),
                    ],
                    conflict: "ON CONFLICT (dataset_id, digest) DO UPDATE SET upload_time = excluded.upload_time"
                )
            )
        }
    }

    /// Those of the contents that a dataset has: in its versions and objects, or sent within the last day.
    package func held(_ digests: [Digest], by dataset: Dataset) async throws -> Set<Digest> {
        var found: Set<Digest> = []
        let cutoff = clock.milliseconds - Self.uploadPatience
        // Page by page, so that others get their turn.
        for start in stride(from: 0, to: digests.count, by: 5000) {
            let page = digests[start..<min(start + 5000, digests.count)].map(\.hex)
            let rows = try await database.read { transaction in
                try transaction.query(
                    """
                    SELECT digest FROM dataset_blobs WHERE dataset_id = ? AND digest IN (?*)
                    UNION
                    SELECT digest FROM dataset_uploads WHERE dataset_id = ? AND digest IN (?*) AND upload_time > ?
                    """,
                    [
                        .integer(dataset.id), .texts(page), .integer(dataset.id), .texts(page), .integer(cutoff),
                    ]
                ) { Digest(hex: $0.text(0)) }
            }
            found.formUnion(rows.compactMap { $0 })
        }
        return found
    }

    /// Forgets uploads that are part of a version by now.
    static func forgetUploads(of dataset: Dataset, _ transaction: Transaction) throws {
        try transaction.execute(
            """
            DELETE FROM dataset_uploads WHERE dataset_id = ? AND EXISTS (
                SELECT 1 FROM dataset_blobs b
                WHERE b.dataset_id = dataset_uploads.dataset_id AND b.digest = dataset_uploads.digest
            )
            """,
            [.integer(dataset.id)]
        )
    }
}
