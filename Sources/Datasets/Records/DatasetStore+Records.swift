import ApusDatabase
import ApusKernel
package import ApusVault

extension DatasetStore {
    /// Takes a batch whose lines are in the Vault.
    ///
    /// When this returns, the batch is durable and will be in exactly one version.
    ///
    /// - Parameters:
    ///   - blob: The lines.
    ///   - recordCount: How many there are.
    ///   - key: What the sender calls the batch. One of the same name and content is not taken again.
    ///   - dataset: Where they go.
    /// - Returns: The batch, and whether it was taken now; else it is the one that was taken before.
    /// - Throws: ``DatasetsError``: `datasetNotFound`, `keyReused`, `tooManyPending`.
    package func addRecords(
        _ blob: StoredBlob,
        recordCount: Int64,
        key: String?,
        to dataset: Dataset
    ) async throws -> (batch: RecordBatch, isNew: Bool) {
        let now = clock.milliseconds
        // Numbers are given in the order in which the batches become visible, so that no lower one comes later.
        return try await database.write(subject: "dataset-records/\(dataset.id)") { transaction in
            try transaction.lock("dataset-records/\(dataset.id)")
            try Self.hold(dataset, transaction)
            if let key, let known = try Self.batches(dataset, "AND batch_key = ?", [.text(key)], transaction).first {
                guard known.digest == blob.digest else { throw DatasetsError.keyReused(key) }
                return (known, false)
            }
            let pending = try Self.pendingCount(dataset, transaction)
            guard pending < RecordBatch.maximumPending else { throw DatasetsError.tooManyPending(dataset.name) }
            let counts = try transaction.first(
                """
                INSERT INTO dataset_record_streams (dataset_id, batch_count, record_count) VALUES (?, 1, ?)
                ON CONFLICT (dataset_id) DO UPDATE
                SET batch_count = dataset_record_streams.batch_count + 1,
                    record_count = dataset_record_streams.record_count + excluded.record_count
                RETURNING batch_count, record_count
                """,
                [.integer(dataset.id), .integer(recordCount)]
            ) { ($0.integer(0), $0.integer(1)) }
            guard let (number, lastRecord) = counts else { throw DatabaseError(.other, "no number was returned") }
            let batch = RecordBatch(
                number: number,
                firstRecord: lastRecord - recordCount + 1,
                recordCount: recordCount,
                sizeBytes: blob.sizeBytes,
                digest: blob.digest,
                key: key,
                created: now,
                version: nil
            )
            try transaction.execute(
                """
                INSERT INTO dataset_record_batches
                    (dataset_id, number, first_record, record_count, size_bytes, digest, batch_key, creation_time)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .integer(dataset.id), .integer(number), .integer(batch.firstRecord), .integer(recordCount),
                    .integer(blob.sizeBytes), .text(blob.digest.hex), .optional(key), .integer(now),
                ]
            )
            return (batch, true)
        }
    }

    /// The batches that are in no version yet, in order.
    package func pendingRecords(of dataset: Dataset) async throws -> [RecordBatch] {
        try await database.read { try Self.batches(dataset, "AND version IS NULL ORDER BY number", [], $0) }
    }

    /// How much waits to be committed.
    package func pendingTotals(
        of dataset: Dataset
    ) async throws -> (batches: Int64, records: Int64, sizeBytes: Int64, oldest: Int64?) {
        let found = try await database.read { transaction in
            try transaction.first(
                """
                SELECT COUNT(*), CAST(COALESCE(SUM(record_count), 0) AS BIGINT),
                    CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT), MIN(creation_time)
                FROM dataset_record_batches WHERE dataset_id = ? AND version IS NULL
                """,
                [.integer(dataset.id)]
            ) { ($0.integer(0), $0.integer(1), $0.integer(2), $0.optionalInteger(3)) }
        }
        return found ?? (0, 0, 0, nil)
    }

    /// Takes note that batches are in a version, in the transaction that makes it.
    ///
    /// - Throws: ``RecordsTaken`` when some of them are in another one already.
    static func settle(
        _ batches: [RecordBatch],
        in version: Int64,
        _ dataset: Dataset,
        now: Int64,
        _ transaction: Transaction
    ) throws {
        guard let first = batches.first, let last = batches.last else { return }
        let changed = try transaction.executeAndCount(
            """
            UPDATE dataset_record_batches SET version = ?
            WHERE dataset_id = ? AND number BETWEEN ? AND ? AND version IS NULL
            """,
            [.integer(version), .integer(dataset.id), .integer(first.number), .integer(last.number)]
        )
        guard changed == batches.count else { throw RecordsTaken() }
        // Those that nobody can ask for again, or nobody will.
        try transaction.execute(
            """
            DELETE FROM dataset_record_batches
            WHERE dataset_id = ? AND version IS NOT NULL AND (batch_key IS NULL OR creation_time < ?)
            """,
            [.integer(dataset.id), .integer(now - RecordBatch.keyMemoryMilliseconds)]
        )
    }

    /// Another server has committed the same batches.
    struct RecordsTaken: Error {}

    private static func pendingCount(_ dataset: Dataset, _ transaction: Transaction) throws -> Int64 {
        // The numbers have no gaps between those that are pending.
        let ends = try transaction.first(
            """
            SELECT MIN(number), MAX(number) FROM dataset_record_batches WHERE dataset_id = ? AND version IS NULL
            """,
            [.integer(dataset.id)]
        ) { ($0.optionalInteger(0), $0.optionalInteger(1)) }
        guard let (first, last) = ends, let first, let last else { return 0 }
        return last - first + 1
    }

    private static func batches(
        _ dataset: Dataset,
        _ condition: String,
        _ values: [SQLValue],
        _ transaction: Transaction
    ) throws -> [RecordBatch] {
        try transaction.query(
            """
            SELECT number, first_record, record_count, size_bytes, digest, batch_key, creation_time, version
            FROM dataset_record_batches WHERE dataset_id = ? \(condition)
            """,
            [.integer(dataset.id)] + values
        ) { row in
            guard let digest = Digest(hex: row.text(4)) else {
                throw DatabaseError(.damaged, "a batch of records has no digest")
            }
            return RecordBatch(
                number: row.integer(0),
                firstRecord: row.integer(1),
                recordCount: row.integer(2),
                sizeBytes: row.integer(3),
                digest: digest,
                key: row.optionalText(5),
                created: row.integer(6),
                version: row.optionalInteger(7)
            )
        }
    }
}
