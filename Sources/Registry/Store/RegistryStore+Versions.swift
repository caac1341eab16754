import ApusDatabase
import ApusKernel
import ApusLedger
package import Tracking

extension RegistryStore {
    /// Makes the next version of a model.
    ///
    /// - Throws: `RegistryError.modelNotFound`, or one of the errors for sources.
    package func createVersion(_ new: NewModelVersion) async throws -> ModelVersion {
        try RegistryLimits.checkName(new.name)
        _ = try Limits.checkLength(new.description, RegistryLimits.descriptionLength, "description")
        _ = try Limits.checkLength(new.runLink, RegistryLimits.runLinkLength, "run_link")
        _ = try Limits.checkLength(new.runID ?? "", RegistryLimits.runIDLength, "run_id")
        _ = try Limits.checkLength(new.loggedModelID ?? "", RegistryLimits.runIDLength, "model_id")
        for tag in new.tags { try RegistryLimits.checkVersionTag(tag) }
        let tags = try RegistryLimits.distinct(new.tags)
        let source = try await resolveSource(of: new)
        return try await database.write { [self] transaction in
            let model = try Self.lockModel(new.name, transaction)
            let now = clock.milliseconds
            // Deleted versions count, so that a number never means two things.
            let highest = try transaction.first(
                "SELECT MAX(version) FROM model_versions WHERE registered_model_id = ?",
                [.integer(model.id)]
            ) { $0.integer(0) }
            let number = (highest ?? 0) + 1
            let id = try Self.insert(new, source, model, number, now, transaction)
            try transaction.insert(Self.tagRows(tags, version: id, model: model.id))
            try Self.touch(model, now, transaction)
            if source.notesRegistration {
                try loggedModels.noteRegistration(
                    ofLoggedModel: source.loggedModelID,
                    name: new.name,
                    version: number,
                    in: transaction
                )
            }
            try ledger.record(Self.creation(new, source, tags, model, number), in: transaction)
            return try Self.version(new.name, number, transaction)
        }
    }

    private static func insert(
        _ new: NewModelVersion,
        _ source: ResolvedSource,
        _ model: ModelReference,
        _ number: Int64,
        _ now: Int64,
        _ transaction: Transaction
    ) throws -> Int64 {
        let id = try transaction.first(
            """
            INSERT INTO model_versions (
                registered_model_id, version, creation_time, last_updated_time, description, current_stage, source,
                storage_location, run_id, run_link, model_id
            )
            VALUES (?, ?, ?, ?, ?, 'None', ?, ?, ?, ?, ?)
            RETURNING model_version_id
            """,
            [
                .integer(model.id), .integer(number), .integer(now), .integer(now), .text(new.description),
                .text(source.source), .text(source.storageLocation), .text(source.runID), .text(new.runLink),
                .text(source.loggedModelID),
            ]
        ) { $0.integer(0) }
        guard let id else { throw DatabaseError(.other, "no identifier was returned") }
        return id
    }

    private static func tagRows(_ tags: [KeyValue], version: Int64, model: Int64) -> BulkInsert {
        BulkInsert(
            into: "model_version_tags",
            [
                ("model_version_id", .integers(tags.map { _ in version })),
                ("registered_model_id", .integers(tags.map { _ in model })),
                ("key", .texts(tags.map(\.key))),
                ("value", .texts(tags.map(\.value))),
            ],
            conflict: "ON CONFLICT (model_version_id, key) DO UPDATE SET value = excluded.value"
        )
    }

    private static func creation(
        _ new: NewModelVersion,
        _ source: ResolvedSource,
        _ tags: [KeyValue],
        _ model: ModelReference,
        _ number: Int64
    ) -> LedgerEvent {
        let isPrompt = Prompt.isMarked(tags)
        return LedgerEvent(
            action: isPrompt ? "prompt_version.created" : "model_version.created",
            subject: model.subject(version: number),
            payload: eventPayload { json in
                json.member("name", new.name)
                json.member("version", "\(number)")
                if isPrompt {
                    json.nullableMember("template", tags.last { $0.key == Prompt.textKey }?.value)
                    json.tagObject("tags", tags.withoutPromptMarks.filter { $0.key != Prompt.textKey })
                } else {
                    json.member("source", source.source)
                    json.nullableMember("run_id", source.runID.isEmpty ? nil : source.runID)
                    json.tagObject("tags", tags)
                }
                json.nullableMember("description", new.description.isEmpty ? nil : new.description)
            }
        )
    }

    /// One live version with its tags and aliases.
    package func version(_ version: String, of name: String) async throws -> ModelVersion {
        try RegistryLimits.checkName(name)
        let number = try RegistryLimits.version(version)
        return try await database.read { try Self.version(name, number, $0) }
    }

    /// Changes a version's description; nil removes it.
    package func updateVersion(_ version: String, of name: String, description: String?) async throws -> ModelVersion {
        _ = try Limits.checkLength(description ?? "", RegistryLimits.descriptionLength, "description")
        return try await change(version, of: name) { [self] found, model, transaction in
            try transaction.execute(
                "UPDATE model_versions SET description = ?, last_updated_time = ? WHERE model_version_id = ?",
                [.optional(description), .integer(clock.milliseconds), .integer(found.id)]
            )
            try ledger.record(
                LedgerEvent(
                    action: "model_version.updated",
                    subject: model.subject(version: found.version),
                    payload: eventPayload { $0.nullableMember("description", description) }
                ),
                in: transaction
            )
            return try Self.version(name, found.version, transaction)
        }
    }

    /// Deletes a version: its number stays taken, everything it said is removed.
    package func deleteVersion(_ version: String, of name: String) async throws {
        try await change(version, of: name) { [self] found, model, transaction in
            let now = clock.milliseconds
            try transaction.execute(
                """
                UPDATE model_versions
                SET current_stage = ?, last_updated_time = ?, description = NULL, source = '', storage_location = '',
                    run_id = '', run_link = '', model_id = ''
                WHERE model_version_id = ?
                """,
                [.text(ModelStage.tombstone), .integer(now), .integer(found.id)]
            )
            try transaction.execute(
                "DELETE FROM model_version_tags WHERE model_version_id = ?",
                [.integer(found.id)]
            )
            try transaction.execute(
                "DELETE FROM registered_model_aliases WHERE registered_model_id = ? AND version = ?",
                [.integer(model.id), .integer(found.version)]
            )
            try Self.touch(model, now, transaction)
            try ledger.record(
                LedgerEvent(action: "model_version.deleted", subject: model.subject(version: found.version)),
                in: transaction
            )
        }
    }

    /// Sets a tag of a version.
    package func setVersionTag(_ version: String, of name: String, _ tag: KeyValue) async throws {
        try RegistryLimits.checkVersionTag(tag)
        try await change(version, of: name) { [self] found, model, transaction in
            try transaction.insert(Self.tagRows([tag], version: found.id, model: model.id))
            try ledger.record(
                LedgerEvent(
                    action: model.isPrompt ? "prompt_version_tag.set" : "model_version_tag.set",
                    subject: model.subject(version: found.version),
                    payload: eventPayload { json in
                        json.member("name", name)
                        json.member("version", version)
                        json.member("key", tag.key)
                        json.member("value", tag.value)
                    }
                ),
                in: transaction
            )
        }
    }

    /// Deletes a tag of a version; one that is not there is no error.
    package func deleteVersionTag(_ version: String, of name: String, key: String) async throws {
        try Limits.checkName(key, path: "key")
        try await change(version, of: name) { [self] found, model, transaction in
            try transaction.execute(
                "DELETE FROM model_version_tags WHERE model_version_id = ? AND key = ?",
                [.integer(found.id), .text(key)]
            )
            try ledger.record(
                LedgerEvent(
                    action: model.isPrompt ? "prompt_version_tag.deleted" : "model_version_tag.deleted",
                    subject: model.subject(version: found.version),
                    payload: eventPayload { json in
                        json.member("name", name)
                        json.member("version", version)
                        json.member("key", key)
                    }
                ),
                in: transaction
            )
        }
    }

    /// Runs a change of one live version while nobody else changes its model.
    ///
    /// - Throws: `RegistryError.versionNotFound`, also when there is no such model.
    func change<T: Sendable>(
        _ version: String,
        of name: String,
        _ body: @escaping @Sendable (VersionReference, ModelReference, Transaction) throws -> T
    ) async throws -> T {
        try RegistryLimits.checkName(name)
        let number = try RegistryLimits.version(version)
        return try await database.write { transaction in
            try transaction.lock("registered-model/\(name)")
            let model = try Self.find(name, transaction)
            guard let model, let found = try Self.find(number, of: model, transaction) else {
                throw RegistryError.versionNotFound(name: name, version: number)
            }
            return try body(found, model, transaction)
        }
    }

    private static func find(
        _ version: Int64,
        of model: ModelReference,
        _ transaction: Transaction
    ) throws -> VersionReference? {
        try transaction.first(
            """
            SELECT model_version_id, current_stage
            FROM model_versions
            WHERE registered_model_id = ? AND version = ?
            """,
            [.integer(model.id), .integer(version)]
        ) { row in
            ModelStage(rawValue: row.text(1)).map { VersionReference(id: row.integer(0), version: version, stage: $0) }
        }
            ?? nil
    }
}

/// What a change needs to know of a version.
struct VersionReference {
    /// The key inside the database.
    let id: Int64
    let version: Int64
    let stage: ModelStage
}
