import ApusDatabase
import ApusKernel
import ApusLedger
import Tracking

extension RegistryStore {
    /// Lets an alias point to a version; one that points elsewhere is moved.
    package func setAlias(_ alias: String, of name: String, version: String) async throws {
        try RegistryLimits.checkAlias(alias, isNew: true)
        try await change(version, of: name) { [self] found, model, transaction in
            try transaction.execute(
                """
                INSERT INTO registered_model_aliases (registered_model_id, alias, version)
                VALUES (?, ?, ?)
                ON CONFLICT (registered_model_id, alias) DO UPDATE SET version = excluded.version
                """,
                [.integer(model.id), .text(alias), .integer(found.version)]
            )
            try ledger.record(
                LedgerEvent(
                    action: model.isPrompt ? "prompt_alias.created" : "model_version_alias.created",
                    subject: model.subject,
                    payload: eventPayload { json in
                        json.member("name", name)
                        json.member("alias", alias)
                        json.member("version", version)
                    }
                ),
                in: transaction
            )
        }
    }

    /// Deletes an alias; one that is not there is no error.
    package func deleteAlias(_ alias: String, of name: String) async throws {
        try RegistryLimits.checkName(name)
        try RegistryLimits.checkAlias(alias)
        try await database.write { [self] transaction in
            let model = try Self.lockModel(name, transaction)
            try transaction.execute(
                "DELETE FROM registered_model_aliases WHERE registered_model_id = ? AND alias = ?",
                [.integer(model.id), .text(alias)]
            )
            try ledger.record(
                LedgerEvent(
                    action: model.isPrompt ? "prompt_alias.deleted" : "model_version_alias.deleted",
                    subject: model.subject,
                    payload: eventPayload { json in
                        json.member("name", name)
                        json.member("alias", alias)
                    }
                ),
                in: transaction
            )
        }
    }

    /// The version that an alias points to; `latest` is the live one with the highest number.
    package func version(alias: String, of name: String) async throws -> ModelVersion {
        try RegistryLimits.checkName(name)
        try RegistryLimits.checkAlias(alias)
        return try await database.read { transaction in
            try Self.version(try Self.reference(name, transaction), alias: alias, transaction)
        }
    }

    static func version(
        _ model: ModelReference,
        alias: String,
        _ transaction: Transaction
    ) throws -> ModelVersion {
        if RegistryLimits.isLatest(alias) {
            let highest = try transaction.first(
                """
                SELECT version FROM model_versions
                WHERE registered_model_id = ? AND current_stage <> 'Deleted_Internal'
                ORDER BY version DESC
                LIMIT 1
                """,
                [.integer(model.id)]
            ) { $0.integer(0) }
            guard let highest else { throw RegistryError.noVersions(name: model.name) }
            return try version(model.name, highest, transaction)
        }
        let number = try transaction.first(
            "SELECT version FROM registered_model_aliases WHERE registered_model_id = ? AND alias = ?",
            [.integer(model.id), .text(alias)]
        ) { $0.integer(0) }
        guard let number else { throw RegistryError.aliasNotFound(alias: alias) }
        return try version(model.name, number, transaction)
    }
}
