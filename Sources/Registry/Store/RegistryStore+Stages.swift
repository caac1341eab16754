import ApusDatabase
import ApusJSON
import ApusKernel
import ApusLedger
import Tracking

extension RegistryStore {
    /// Moves a version to a stage; versions that are there now may go to Archived when the stage is an active one.
    package func moveVersion(
        _ version: String,
        of name: String,
        to stageName: String,
        archivesOthers: Bool
    ) async throws -> ModelVersion {
        let stage = try ModelStage.parse(stageName)
        guard !archivesOthers || stage.isActive else {
            throw RequestError.invalid(
                "Model version transition cannot archive existing model versions because '\(stageName)' is not an "
                    + "Active stage. Valid stages are ['Staging', 'Production']"
            )
        }
        return try await change(version, of: name) { [self] found, model, transaction in
            let now = clock.milliseconds
            if archivesOthers {
                try transaction.execute(
                    """
                    UPDATE model_versions
                    SET current_stage = 'Archived', last_updated_time = ?
                    WHERE registered_model_id = ? AND current_stage = ? AND version <> ?
                    """,
                    [.integer(now), .integer(model.id), .text(stage.rawValue), .integer(found.version)]
                )
            }
            try transaction.execute(
                "UPDATE model_versions SET current_stage = ?, last_updated_time = ? WHERE model_version_id = ?",
                [.text(stage.rawValue), .integer(now), .integer(found.id)]
            )
            try Self.touch(model, now, transaction)
            try ledger.record(
                LedgerEvent(
                    action: "model_version.stage_changed",
                    subject: model.subject(version: found.version),
                    payload: eventPayload { json in
                        json.member("from", found.stage.rawValue)
                        json.member("to", stage.rawValue)
                        json.key("archived_others")
                        json.bool(archivesOthers)
                    }
                ),
                in: transaction
            )
            return try Self.version(name, found.version, transaction)
        }
    }

    /// For each stage asked for, or for all when none is, the live version with the highest number.
    package func latestVersions(of name: String, stages: [String]) async throws -> [ModelVersion] {
        try RegistryLimits.checkName(name)
        return try await database.read { transaction in
            let id = try Self.reference(name, transaction).id
            let wanted = Set(try stages.map(ModelStage.parse))
            let model = try Self.model(id, name: name, transaction)
            return model.latestVersions.filter { wanted.isEmpty || wanted.contains($0.stage) }.map { version in
                var version = version
                version.aliases = model.aliases.filter { $0.version == version.version }.map(\.alias)
                return version
            }
        }
    }
}
