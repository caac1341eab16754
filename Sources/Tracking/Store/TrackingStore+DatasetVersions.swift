import ApusDatabase
import ApusKernel

/// Which runs have read which versions of datasets.
extension TrackingStore {
    /// The active runs that have read a version of a dataset, the newest first.
    ///
    /// - Parameters:
    ///   - dataset: The dataset.
    ///   - references: What the version is called in addresses: its number, tags and the like.
    ///   - digests: What it may be called as the digest of an MLflow dataset.
    ///   - runs: Runs that are known to have read it by other ways.
    ///   - limit: The most runs.
    /// - Returns: The runs.
    /// - Throws: ``DatabaseError``.
    package func runs(
        reading dataset: String,
        references: [String],
        digests: [String],
        or runs: [String],
        limit: Int
    ) async throws -> [Run.Info] {
        try await database.read { transaction in
            try Self.infos(
                where: """
                    r.lifecycle_stage = 'active' AND (r.run_id IN (
                        SELECT v.run_id FROM input_versions v WHERE v.dataset = ? AND v.reference IN (?*)
                    ) OR r.run_id IN (
                        SELECT i.run_id FROM datasets d JOIN inputs i ON i.dataset_id = d.dataset_id
                        WHERE d.digest IN (?*)
                    ) OR r.run_uuid IN (?*))
                    ORDER BY r.run_id DESC LIMIT ?
                    """,
                [.text(dataset), .texts(references), .texts(digests), .texts(runs), .integer(Int64(limit))],
                transaction
            ).map(\.info)
        }
    }

    /// Runs by their identifiers, the newest first; those that are not there are left out.
    package func runs(_ ids: [String], limit: Int) async throws -> [Run.Info] {
        guard !ids.isEmpty else { return [] }
        return try await database.read { transaction in
            try Self.infos(
                where: "r.lifecycle_stage = 'active' AND r.run_uuid IN (?*) ORDER BY r.run_id DESC LIMIT ?",
                [.texts(ids), .integer(Int64(limit))],
                transaction
            ).map(\.info)
        }
    }

    /// The versions of datasets that the inputs of a run name by address.
    package func versionsRead(by run: String) async throws -> [VersionedSource] {
        try await database.read { transaction in
            try transaction.query(
                """
                SELECT v.dataset, v.reference FROM input_versions v JOIN runs r ON r.run_id = v.run_id
                WHERE r.run_uuid = ? ORDER BY v.dataset, v.reference
                """,
                [.text(run)]
            ) { VersionedSource(dataset: $0.text(0), reference: $0.text(1)) }
        }
    }

    /// The logged models that runs have written, the newest first.
    package func models(writtenBy runs: [String], limit: Int) async throws -> [LoggedModel.Info] {
        guard !runs.isEmpty else { return [] }
        return try await database.read { transaction in
            try Self.loggedModelInfos(
                where: """
                    m.lifecycle_stage = 'active' AND m.model_id IN (
                        SELECT o.model_id FROM run_models o JOIN runs r ON r.run_id = o.run_id
                        WHERE r.run_uuid IN (?*) AND o.direction = 'output'
                    )
                    ORDER BY m.logged_model_id DESC LIMIT ?
                    """,
                [.texts(runs), .integer(Int64(limit))],
                transaction
            ).map(\.info)
        }
    }
}
