import ApusDatabase
import ApusKernel
import ApusLedger

extension TrackingStore {
    /// What a client says about a model that it begins to log.
    package struct NewLoggedModel: Sendable {
        package var experimentID: String
        /// Empty for a generated name.
        package var name: String
        package var type: String
        package var sourceRunID: String
        package var params: [KeyValue]
        package var tags: [KeyValue]

        package init(
            experimentID: String,
            name: String = "",
            type: String = "",
            sourceRunID: String = "",
            params: [KeyValue] = [],
            tags: [KeyValue] = []
        ) {
            self.experimentID = experimentID
            self.name = name
            self.type = type
            self.sourceRunID = sourceRunID
            self.params = params
            self.tags = tags
        }
    }

    /// Begins a logged model, whose upload is pending.
    ///
    /// - Throws: `TrackingError.experimentNotFound` or `experimentNotActive`, or `INVALID_PARAMETER_VALUE`.
    package func createLoggedModel(_ new: NewLoggedModel) async throws -> LoggedModel {
        let experimentID = try Experiment.parseID(new.experimentID)
        try Limits.loggedModelName(new.name)
        _ = try Limits.checkLength(new.type, Limits.loggedModelNameLength, "model_type")
        if !new.sourceRunID.isEmpty { try Limits.runID(new.sourceRunID) }
        try Limits.loggedModelPairs(new.params, "params")
        try Limits.loggedModelPairs(new.tags, "tags")
        let name = new.name.isEmpty ? RunNames.make(identifiers) : new.name
        let id = Identifier<LoggedModel>("m-\(identifiers.hex32())")
        return try await database.write { [self] transaction in
            let experiment = try transaction.first(
                "SELECT artifact_location, lifecycle_stage FROM experiments WHERE experiment_id = ?",
                [.integer(experimentID)]
            ) { (location: $0.text(0), stage: $0.text(1)) }
            guard let experiment else { throw TrackingError.experimentNotFound(id: "\(experimentID)") }
            guard experiment.stage == LifecycleStage.active.rawValue else {
                throw TrackingError.experimentNotActive(id: experimentID)
            }
            let now = clock.milliseconds
            let info = LoggedModel.Info(
                id: id,
                experimentID: experimentID,
                name: name,
                artifactURI: Self.appending("models/\(id)/artifacts", to: experiment.location),
                status: .pending,
                creationTime: now,
                lastUpdateTime: now,
                type: new.type,
                sourceRunID: new.sourceRunID,
                statusMessage: nil,
                stage: .active
            )
            let key = try Self.insert(info, transaction)
            try Self.addParams(new.params, to: LoggedModelRow(key: key, id: id, stage: .active), transaction)
            try Self.setTags(new.tags, onLoggedModel: key, transaction)
            try ledger.record(
                LedgerEvent(
                    action: "logged_model.created",
                    subject: "logged_model/\(id)",
                    payload: "{\"experiment_id\":\"\(experimentID)\",\"name\":\(jsonString(name))}"
                ),
                in: transaction
            )
            return try Self.loggedModel(id.rawValue, allowDeleted: false, transaction)
        }
    }

    /// A logged model with everything that belongs to it.
    ///
    /// - Throws: `TrackingError.loggedModelNotFound`, also for a deleted one unless those are allowed.
    package func loggedModel(id: String, allowDeleted: Bool = false) async throws -> LoggedModel {
        try await database.read { try Self.loggedModel(id, allowDeleted: allowDeleted, $0) }
    }

    /// Where the files of a logged model are, as its clients know it.
    ///
    /// - Throws: `TrackingError.loggedModelNotFound`, also for a deleted one.
    package func artifactURI(ofLoggedModel id: String) async throws -> String {
        let found = try await database.read { transaction in
            try transaction.first(
                "SELECT artifact_location FROM logged_models WHERE model_id = ? AND lifecycle_stage = 'active'",
                [.text(id)]
            ) { $0.text(0) }
        }
        guard let found else { throw TrackingError.loggedModelNotFound(id: id) }
        return found
    }

    /// Sets how the upload of a model ended.
    package func finalizeLoggedModel(id: String, status: LoggedModelStatus) async throws -> LoggedModel {
        try await database.write { [self] transaction in
            let row = try Self.loggedModelRow(id, transaction)
            try transaction.execute(
                "UPDATE logged_models SET status = ?, last_updated_timestamp_ms = ? WHERE logged_model_id = ?",
                [.integer(status.rawValue), .integer(clock.milliseconds), .integer(row.key)]
            )
            try ledger.record(
                LedgerEvent(
                    action: "logged_model.finalized",
                    subject: "logged_model/\(id)",
                    payload: "{\"status\":\"\(status.wireName)\"}"
                ),
                in: transaction
            )
            return try Self.loggedModel(id, allowDeleted: true, transaction)
        }
    }

    /// Moves a model into the trash; does nothing when it is there already.
    package func deleteLoggedModel(id: String) async throws {
        try await database.write { [self] transaction in
            let row = try Self.loggedModelRow(id, transaction)
            let changed = try transaction.executeAndCount(
                """
                UPDATE logged_models
                SET lifecycle_stage = 'deleted', last_updated_timestamp_ms = ?
                WHERE logged_model_id = ? AND lifecycle_stage = 'active'
                """,
                [.integer(clock.milliseconds), .integer(row.key)]
            )
            guard changed > 0 else { return }
            try ledger.record(
                LedgerEvent(action: "logged_model.deleted", subject: "logged_model/\(id)"),
                in: transaction
            )
        }
    }

    /// Adds params to a model; the same value again does nothing.
    ///
    /// - Throws: `INVALID_PARAMETER_VALUE` when a param is there with another value; then nothing is added.
    package func logLoggedModelParams(id: String, _ params: [KeyValue]) async throws {
        try Limits.loggedModelPairs(params, "params")
        try await database.write { transaction in
            try Self.addParams(params, to: try Self.loggedModelRow(id, transaction), transaction)
        }
    }

    /// Sets tags of a model; of a repeated key the last value wins.
    package func setLoggedModelTags(id: String, _ tags: [KeyValue]) async throws {
        try Limits.loggedModelPairs(tags, "tags")
        try await database.write { transaction in
            try Self.setTags(tags, onLoggedModel: try Self.loggedModelRow(id, transaction).key, transaction)
        }
    }

    /// Deletes a tag of a model.
    package func deleteLoggedModelTag(id: String, key: String) async throws {
        try await database.write { transaction in
            let row = try Self.loggedModelRow(id, transaction)
            let deleted = try transaction.executeAndCount(
                "DELETE FROM logged_model_tags WHERE logged_model_id = ? AND tag_key = ?",
                [.integer(row.key), .text(key)]
            )
            guard deleted > 0 else {
                throw RequestError(
                    .resourceDoesNotExist,
                    "No tag with key '\(key)' found for model with ID '\(id)'."
                )
            }
        }
    }

    private static func insert(_ info: LoggedModel.Info, _ transaction: Transaction) throws -> Int64 {
        let key = try transaction.first(
            """
            INSERT INTO logged_models (
                model_id, experiment_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms,
                status, lifecycle_stage, model_type, source_run_id
            )
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            RETURNING logged_model_id
            """,
            [
                .text(info.id.rawValue), .integer(info.experimentID), .text(info.name), .text(info.artifactURI),
                .integer(info.creationTime), .integer(info.lastUpdateTime), .integer(info.status.rawValue),
                .text(info.stage.rawValue), .text(info.type), .text(info.sourceRunID),
            ]
        ) { $0.integer(0) }
        guard let key else { throw DatabaseError(.other, "no key was returned") }
        return key
    }

    private static func addParams(_ params: [KeyValue], to row: LoggedModelRow, _ transaction: Transaction) throws {
        let added = try transaction.insertAndCount(
            BulkInsert(
                into: "logged_model_params",
                [
                    ("logged_model_id", .integers(params.map { _ in row.key })),
                    ("param_key", .texts(params.map(\.key))),
                    ("param_value", .texts(params.map(\.value))),
                ],
                conflict: "ON CONFLICT DO NOTHING"
            )
        )
        guard added < params.count else { return }
        var stored: [ExactText: ExactText] = [:]
        try transaction.forEach(
            "SELECT param_key, param_value FROM logged_model_params WHERE logged_model_id = ? AND param_key IN (?*)",
            [.integer(row.key), .texts(params.map(\.key))]
        ) { stored[ExactText($0.text(0))] = ExactText($0.text(1)) }
        for param in params {
            guard let old = stored[ExactText(param.key)]?.text, ExactText(old) != ExactText(param.value) else {
                continue
            }
            throw RequestError.invalid(
                "Changing param values is not allowed. Param with key='\(param.key)' was already logged with "
                    + "value='\(old.prefix(1_000))' for logged model ID='\(row.id)'. "
                    + "Attempted logging new value '\(param.value.prefix(1_000))'."
            )
        }
    }

    private static func setTags(
        _ tags: [KeyValue],
        onLoggedModel key: Int64,
        _ transaction: Transaction
    ) throws {
        let values = tags.lastOfEachKey().sorted { $0.key < $1.key }
        try transaction.insert(
            BulkInsert(
                into: "logged_model_tags",
                [
                    ("logged_model_id", .integers(values.map { _ in key })),
                    ("tag_key", .texts(values.map(\.key))),
                    ("tag_value", .texts(values.map(\.value))),
                ],
                conflict: "ON CONFLICT (logged_model_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value"
            )
        )
    }
}
