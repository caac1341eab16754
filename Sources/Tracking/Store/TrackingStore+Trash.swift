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
            if !dryRun { report.artifacts += try await erase(run: run) }
            report.runs += 1
            progress(report)
        }
        for model in models {
            if !dryRun { report.artifacts += try await erase(loggedModel: model) }
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

    /// Points first, a part at a time, because there may be millions; then the run with all that hangs on it.
    private func erase(run: Victim) async throws -> Int {
        for table in ["metric_tail", "metric_chunks"] {
            let id = table == "metric_tail" ? "tail_id" : "chunk_id"
            var deleted = 1
            while deleted > 0 {
                deleted = try await database.write { transaction in
                    guard try Self.isInTrash(run, transaction) else { return 0 }
                    return try transaction.execute(
                        "DELETE FROM \(table) WHERE \(id) IN (SELECT \(id) FROM \(table) WHERE run_id = ? LIMIT 500)",
                        [.integer(run.key)]
                    )
                }
            }
        }
        return try await database.write { [self] transaction in
            guard try Self.isInTrash(run, transaction) else { return 0 }
            let files = try Self.eraseArtifacts(at: run.location, transaction)
            try transaction.execute("DELETE FROM runs WHERE run_id = ?", [.integer(run.key)])
            try ledger.record(LedgerEvent(action: "run.erased", subject: "run/\(run.id)"), in: transaction)
            return files
        }
    }

    /// A run may have been restored since it was found.
    private static func isInTrash(_ run: Victim, _ transaction: Transaction) throws -> Bool {
        try transaction.lock("run/\(run.id)")
        let stage = try transaction.first("SELECT lifecycle_stage FROM runs WHERE run_id = ?", [.integer(run.key)]) {
            $0.text(0)
        }
        return stage == LifecycleStage.deleted.rawValue
    }

    private func erase(loggedModel: Victim) async throws -> Int {
        try await database.write { [self] transaction in
            let files = try Self.eraseArtifacts(at: loggedModel.location, transaction)
            let deleted = try transaction.execute(
                "DELETE FROM logged_models WHERE logged_model_id = ?",
                [.integer(loggedModel.key)]
            )
            guard deleted > 0 else { return 0 }
            try ledger.record(
                LedgerEvent(action: "logged_model.erased", subject: "logged_model/\(loggedModel.id)"),
                in: transaction
            )
            return files
        }
    }

    private func erase(experiment: Victim) async throws {
        try await database.write { [self] transaction in
            let deleted = try transaction.execute(
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
        let scheme = "mlflow-artifacts:/"
        guard location.hasPrefix(scheme),
            let key = try? ArtifactKey(validating: String(location.dropFirst(scheme.count)))
        else { return 0 }
        return try ArtifactTree.delete(key, in: transaction)
    }
}
