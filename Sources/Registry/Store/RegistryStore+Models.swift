import ApusDatabase
import ApusKernel
import ApusLedger
package import Tracking

extension RegistryStore {
    /// Makes a registered model.
    ///
    /// - Throws: `RegistryError.exists`.
    package func createModel(name: String, description: String, tags: [KeyValue]) async throws -> RegisteredModel {
        try RegistryLimits.checkName(name)
        _ = try Limits.checkLength(description, RegistryLimits.descriptionLength, "description")
        for tag in tags { try RegistryLimits.checkTag(tag) }
        let tags = try RegistryLimits.distinct(tags)
        let isPrompt = Prompt.isMarked(tags)
        return try await database.write { [self] transaction in
            try transaction.lock("registered-model/\(name)")
            if let existing = try Self.find(name, transaction) {
                throw RegistryError.exists(name: name, isPrompt: existing.isPrompt, asPrompt: isPrompt)
            }
            let now = clock.milliseconds
            let id = try transaction.first(
                """
                INSERT INTO registered_models (name, creation_time, last_updated_time, description)
                VALUES (?, ?, ?, ?)
                RETURNING registered_model_id
                """,
                [.text(name), .integer(now), .integer(now), .text(description)]
            ) { $0.integer(0) }
            guard let id else { throw DatabaseError(.other, "no identifier was returned") }
            for tag in tags { try Self.setTag(tag, ofModel: id, transaction) }
            try ledger.record(
                Self.creation(ModelReference(id: id, name: name, isPrompt: isPrompt), description, tags),
                in: transaction
            )
            return try Self.model(id, name: name, transaction)
        }
    }

    private static func creation(_ model: ModelReference, _ description: String, _ tags: [KeyValue]) -> LedgerEvent {
        LedgerEvent(
            action: model.isPrompt ? "prompt.created" : "registered_model.created",
            subject: model.subject,
            payload: eventPayload { json in
                json.member("name", model.name)
                json.tagObject("tags", model.isPrompt ? tags.withoutPromptMarks : tags)
                json.member("description", description)
            }
        )
    }

    /// A registered model with everything that belongs to it.
    package func model(named name: String) async throws -> RegisteredModel {
        try RegistryLimits.checkName(name)
        return try await database.read { transaction in
            let found = try Self.models(where: "m.name = ?", [.text(name)], transaction).first
            guard let found else { throw RegistryError.modelNotFound(name: name) }
            return found
        }
    }

    /// Changes a model's description.
    package func updateModel(name: String, description: String) async throws -> RegisteredModel {
        try RegistryLimits.checkName(name)
        _ = try Limits.checkLength(description, RegistryLimits.descriptionLength, "description")
        return try await database.write { [self] transaction in
            let model = try Self.lockModel(name, transaction)
            try transaction.execute(
                "UPDATE registered_models SET description = ?, last_updated_time = ? WHERE registered_model_id = ?",
                [.text(description), .integer(clock.milliseconds), .integer(model.id)]
            )
            try ledger.record(
                LedgerEvent(
                    action: "registered_model.updated",
                    subject: model.subject,
                    payload: eventPayload { $0.member("description", description) }
                ),
                in: transaction
            )
            return try Self.model(model.id, name: name, transaction)
        }
    }

    /// Gives a model another name; versions, tags and aliases go along.
    ///
    /// - Throws: `RegistryError.exists`.
    package func renameModel(name: String, to newName: String) async throws -> RegisteredModel {
        try RegistryLimits.checkName(newName, field: "new_name")
        try RegistryLimits.checkName(name)
        return try await database.write { [self] transaction in
            // Always in the same order, or two renames could wait for each other.
            for lock in [name, newName].sorted() { try transaction.lock("registered-model/\(lock)") }
            let model = try Self.reference(name, transaction)
            if let taken = try Self.find(newName, transaction), taken.id != model.id {
                throw RegistryError.exists(name: newName, isPrompt: taken.isPrompt, asPrompt: taken.isPrompt)
            }
            let now = clock.milliseconds
            try transaction.execute(
                "UPDATE registered_models SET name = ?, last_updated_time = ? WHERE registered_model_id = ?",
                [.text(newName), .integer(now), .integer(model.id)]
            )
            try transaction.execute(
                "UPDATE model_versions SET last_updated_time = ? WHERE registered_model_id = ?",
                [.integer(now), .integer(model.id)]
            )
            try ledger.record(
                LedgerEvent(
                    action: "registered_model.renamed",
                    subject: model.subject,
                    payload: eventPayload { json in
                        json.member("name", name)
                        json.member("new_name", newName)
                    }
                ),
                in: transaction
            )
            return try Self.model(model.id, name: newName, transaction)
        }
    }

    /// Deletes a model with its versions, tags and aliases; the name may be used again.
    package func deleteModel(name: String) async throws {
        try RegistryLimits.checkName(name)
        try await database.write { [self] transaction in
            let model = try Self.lockModel(name, transaction)
            try transaction.execute(
                "DELETE FROM registered_models WHERE registered_model_id = ?",
                [.integer(model.id)]
            )
            try ledger.record(
                LedgerEvent(action: "registered_model.deleted", subject: model.subject),
                in: transaction
            )
        }
    }

    /// Sets a tag of a model.
    package func setModelTag(name: String, _ tag: KeyValue) async throws {
        try RegistryLimits.checkName(name)
        try RegistryLimits.checkTag(tag)
        try await database.write { [self] transaction in
            try Self.setTag(tag, ofModel: try Self.lockModel(name, transaction).id, transaction)
            // The tag itself may have made it a prompt.
            let model = try Self.reference(name, transaction)
            try ledger.record(
                LedgerEvent(
                    action: model.isPrompt ? "prompt_tag.set" : "registered_model_tag.set",
                    subject: model.subject,
                    payload: eventPayload { json in
                        json.member("name", name)
                        json.member("key", tag.key)
                        json.member("value", tag.value)
                    }
                ),
                in: transaction
            )
        }
    }

    /// Deletes a tag of a model; one that is not there is no error.
    package func deleteModelTag(name: String, key: String) async throws {
        try RegistryLimits.checkName(name)
        try Limits.checkName(key, path: "key")
        try await database.write { [self] transaction in
            let id = try Self.lockModel(name, transaction).id
            try transaction.execute(
                "DELETE FROM registered_model_tags WHERE registered_model_id = ? AND key = ?",
                [.integer(id), .text(key)]
            )
            let model = try Self.reference(name, transaction)
            try ledger.record(
                LedgerEvent(
                    action: model.isPrompt ? "prompt_tag.deleted" : "registered_model_tag.deleted",
                    subject: model.subject,
                    payload: eventPayload { json in
                        json.member("name", name)
                        json.member("key", key)
                    }
                ),
                in: transaction
            )
        }
    }

    private static func setTag(_ tag: KeyValue, ofModel id: Int64, _ transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO registered_model_tags (registered_model_id, key, value)
            VALUES (?, ?, ?)
            ON CONFLICT (registered_model_id, key) DO UPDATE SET value = excluded.value
            """,
            [.integer(id), .text(tag.key), .text(tag.value)]
        )
    }
}

extension [KeyValue] {
    /// The tags without those that only say that something is a prompt.
    var withoutPromptMarks: [KeyValue] {
        filter { $0.key != Prompt.markerKey && $0.key != Prompt.typeKey }
    }
}
