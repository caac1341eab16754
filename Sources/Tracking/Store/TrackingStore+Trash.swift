import ApusDatabase
import ApusKernel
import ApusLedger
import ApusVault

/// What an emptying of the trash took, or would take.
package struct TrashReport: Sendable, Equatable {
    package var experiments = 0
    package var runs = 0
    package var loggedModels = 0
    /// Files of runs and models whose place in the tree was taken.
    package var artifacts = 0
}

extension TrackingStore {
    /// Something in the trash.
    private struct Victim: Sendable {
        let key: Int64
        let id: String
        let location: String
    }

    /// Deletes for real what has been in the trash since before a time.
    ///
    /// Works in small transactions, so that writers wait for moments only, and can be stopped and begun again. The
    /// bytes of artifacts go when the Vault is swept.
    ///
    /// - Parameters:
    ///   - cutoff: Milliseconds since the Unix epoch; what was deleted later stays.
    ///   - dryRun: Whether to count only.
    ///   - progress: Called after each experiment, run or model.
    /// - Returns: What was taken, or would be; artifacts are not counted in a dry run.
    /// - Throws: `DatabaseError`; what was taken before it stays taken.
    package func emptyTrash(
        before cutoff: Int64,
        dryRun: Bool,
        progress: @Sendable (TrashReport) -> Void = { _ in }
    ) async throws -> TrashReport {
        var report = TrashReport()
        if !dryRun { try await eraseOrphans() }
        let (experiments, runs, models) = try await database.read(limit: .seconds(120)) { transaction in
            let old = "lifecycle_stage = 'deleted' AND last_update_time < ?"
            let ofOld = "experiment_id IN (SELECT experiment_id FROM experiments WHERE \(old))"
            return (
                try Self.victims(
                    "SELECT experiment_id, name, '' FROM experiments WHERE \(old) ORDER BY experiment_id",
                    [.integer(cutoff)],
                    transaction
                ),
                try Self.victims(
                    """
                    SELECT run_id, run_uuid, artifact_uri FROM runs
                    WHERE (lifecycle_stage = 'deleted' AND deleted_time < ?) OR \(ofOld)
                    ORDER BY run_id
                    """,
                    [.integer(cutoff), .integer(cutoff)],
                    transaction
                ),
                try Self.victims(
                    """
                    SELECT logged_model_id, model_id, artifact_location FROM logged_models
                    WHERE (lifecycle_stage = 'deleted' AND last_updated_timestamp_ms < ?) OR \(ofOld)
                    ORDER BY logged_model_id
                    """,
                    [.integer(cutoff), .integer(cutoff)],
                    transaction
                )
            )
        }
        for run in runs {
            if !dryRun {
                guard let artifacts = try await erase(run: run) else { continue }
                report.artifacts += artifacts
            }
            report.runs += 1
            progress(report)
        }
        for model in models {
            if !dryRun {
                guard let artifacts = try await erase(loggedModel: model) else { continue }
                report.artifacts += artifacts
            }
            report.loggedModels += 1
            progress(report)
        }
        for experiment in experiments {
            if !dryRun { try await erase(experiment: experiment) }
            report.experiments += 1
            progress(report)
        }
        return report
    }

    private static func victims(_ sql: String, _ values: [SQLValue], _ transaction: Transaction) throws -> [Victim] {
        try transaction.query(sql, values) { Victim(key: $0.integer(0), id: $0.text(1), location: $0.text(2)) }
    }

    /// Takes the run with all that hangs on it, then its points, a part at a time, because there may be millions.
    ///
    /// A run that was restored since it was found stays whole. Points that are left when the process ends are found at
    /// the next emptying: nobody can see them without their run.
    ///
    /// - Returns: The number of artifacts that were taken; nil when the run stays.
    private func erase(run: Victim) async throws -> Int? {
        let files = try await database.write(subject: Self.subject(run.id)) { [self] transaction -> Int? in
            try transaction.lock("run/\(run.id)")
            let deleted = try transaction.executeAndCount(
                "DELETE FROM runs WHERE run_id = ? AND lifecycle_stage = 'deleted'",
                [.integer(run.key)]
            )
            guard deleted > 0 else { return nil }
            try ledger.record(LedgerEvent(action: "run.erased", subject: "run/\(run.id)"), in: transaction)
            return try Self.eraseArtifacts(at: run.location, transaction)
        }
        guard let files else { return nil }
        try await erasePoints(ofRun: run.key)
        return files
    }

    private func erasePoints(ofRun key: Int64) async throws {
        for (table, id) in [("metric_tail", "tail_id"), ("metric_chunks", "chunk_id")] {
            var deleted = 1
            while deleted > 0 {
                deleted = try await database.write { transaction in
                    try transaction.executeAndCount(
                        "DELETE FROM \(table) WHERE \(id) IN (SELECT \(id) FROM \(table) WHERE run_id = ? LIMIT 500)",
                        [.integer(key)]
                    )
                }
            }
        }
    }

    /// Takes the points that an emptying left which was stopped, or that were sorted after it had passed.
    private func eraseOrphans() async throws {
        for table in ["metric_tail", "metric_chunks"] {
            let orphans = try await database.read(limit: .seconds(600)) { transaction in
                try transaction.query(
                    """
                    SELECT DISTINCT p.run_id FROM \(table) p
                    WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.run_id = p.run_id)
                    """
                ) { $0.integer(0) }
            }
            for key in orphans { try await erasePoints(ofRun: key) }
        }
    }

    /// - Returns: The number of artifacts that were taken; nil when the model stays, because it was restored.
    private func erase(loggedModel: Victim) async throws -> Int? {
        try await database.write { [self] transaction -> Int? in
            let deleted = try transaction.executeAndCount(
                """
                DELETE FROM logged_models
                WHERE logged_model_id = ? AND (
                    lifecycle_stage = 'deleted'
                    OR EXISTS (
                        SELECT 1 FROM experiments e
                        WHERE e.experiment_id = logged_models.experiment_id AND e.lifecycle_stage = 'deleted'
                    )
                )
                """,
                [.integer(loggedModel.key)]
            )
            guard deleted > 0 else { return nil }
            try ledger.record(
                LedgerEvent(action: "logged_model.erased", subject: "logged_model/\(loggedModel.id)"),
                in: transaction
            )
            return try Self.eraseArtifacts(at: loggedModel.location, transaction)
        }
    }

    private func erase(experiment: Victim) async throws {
        try await database.write { [self] transaction in
            let deleted = try transaction.executeAndCount(
                """
                DELETE FROM experiments
                WHERE experiment_id = ? AND lifecycle_stage = 'deleted'
                    AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.experiment_id = experiments.experiment_id)
                """,
                [.integer(experiment.key)]
            )
            guard deleted > 0 else { return }
            try ledger.record(
                LedgerEvent(action: "experiment.erased", subject: "experiment/\(experiment.key)"),
                in: transaction
            )
        }
    }

    /// Takes the files of a location out of our tree; other locations are not ours to touch.
    private static func eraseArtifacts(at location: String, _ transaction: Transaction) throws -> Int {
        guard let key = try? ArtifactAddress(of: location).key else { return 0 }
        return try ArtifactTree.delete(key, in: transaction)
    }
}
