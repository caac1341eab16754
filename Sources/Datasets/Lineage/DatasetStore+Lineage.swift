import ApusDatabase
import ApusKernel

/// Which runs have read or written versions, as they have said themselves.
extension DatasetStore {
    /// What a run has done with a version.
    package enum Use: String, Sendable, CaseIterable {
        case read
        case wrote
    }

    /// A version that a run has used.
    package struct UsedVersion: Hashable, Sendable {
        package let dataset: String
        package let version: Int64
        package let use: Use
    }

    /// Takes note that a run has read or written a version; once is enough.
    ///
    /// - Throws: ``DatasetsError``: `datasetNotFound`, `referenceNotFound`.
    package func record(_ use: Use, by run: String, of version: Int64, in dataset: Dataset) async throws {
        let now = clock.milliseconds
        try await database.write { transaction in
            try Self.hold(dataset, transaction)
            try Self.record(use, by: run, of: version, dataset, now: now, transaction)
        }
    }

    static func record(
        _ use: Use,
        by run: String,
        of version: Int64,
        _ dataset: Dataset,
        now: Int64,
        _ transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO dataset_uses (dataset_id, number, run_uuid, use, creation_time) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """,
            [.integer(dataset.id), .integer(version), .text(run), .text(use.rawValue), .integer(now)]
        )
    }

    /// The runs that have said that they used a version, the newest first.
    package func runs(using version: Int64, in dataset: Dataset, limit: Int) async throws -> [(run: String, use: Use)] {
        try await database.read { transaction in
            try transaction.query(
                """
                SELECT run_uuid, use FROM dataset_uses WHERE dataset_id = ? AND number = ?
                ORDER BY creation_time DESC, run_uuid LIMIT ?
                """,
                [.integer(dataset.id), .integer(version), .integer(Int64(limit))]
            ) { (run: $0.text(0), use: Use(rawValue: $0.text(1)) ?? .read) }
        }
    }

    /// The versions that a run has said that it used.
    package func versions(usedBy run: String) async throws -> [UsedVersion] {
        try await database.read { transaction in
            try transaction.query(
                """
                SELECT d.name, u.number, u.use FROM dataset_uses u
                JOIN versioned_datasets d ON d.dataset_id = u.dataset_id
                WHERE u.run_uuid = ? ORDER BY u.use, d.name, u.number
                """,
                [.text(run)]
            ) { UsedVersion(dataset: $0.text(0), version: $0.integer(1), use: Use(rawValue: $0.text(2)) ?? .read) }
        }
    }

    /// The versions that were made from one.
    package func children(of version: Int64, in dataset: Dataset, limit: Int) async throws -> [Int64] {
        try await database.read { transaction in
            try transaction.query(
                "SELECT number FROM dataset_versions WHERE dataset_id = ? AND parent = ? ORDER BY number LIMIT ?",
                [.integer(dataset.id), .integer(version), .integer(Int64(limit))]
            ) { $0.integer(0) }
        }
    }
}
