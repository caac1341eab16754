import ApusDatabase
import ApusKernel
import ApusLedger

/// The tag that holds a run's name.
package let runNameTag = "mlflow.runName"

extension TrackingStore {
    /// What a client says about a run that it starts.
    package struct NewRun: Sendable {
        package var experimentID: String
        package var userID: String
        package var name: String
        /// Milliseconds since the Unix epoch.
        package var startTime: Int64
        package var tags: [KeyValue]

        package init(
            experimentID: String,
            userID: String = "",
            name: String = "",
            startTime: Int64 = 0,
            tags: [KeyValue] = []
        ) {
            self.experimentID = experimentID
            self.userID = userID
            self.name = name
            self.startTime = startTime
            self.tags = tags
        }
    }

    /// The row of a run, as writers need it.
    struct RunRow {
        let key: Int64
        let experimentID: Int64
        let stage: LifecycleStage

        /// Reads `run_id`, `experiment_id` and `lifecycle_stage`.
        init(_ row: Row, from column: Int32) {
            key = row.integer(column)
            experimentID = row.integer(column + 1)
            stage = LifecycleStage(rawValue: row.text(column + 2)) ?? .deleted
        }
    }

    /// Starts a run.
    package func createRun(_ new: NewRun) async throws -> Run {
        let experimentID = try Experiment.parseID(new.experimentID)
        try Limits.checkCreationTags(new.tags)
        _ = try Limits.checkLength(new.name, Limits.tagValueLength, "run_name")
        _ = try Limits.checkLength(new.userID, Limits.userLength, "user_id")
        var tags = try new.tags.map { try Limits.runTag($0) }
        let tagName = tags.last { $0.key == runNameTag }?.value ?? ""
        if !new.name.isEmpty, !tagName.isEmpty, new.name != tagName {
            throw RequestError.invalid(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
                    + "(run_name='\(new.name)', mlflow.runName='\(tagName)')."
            )
        }
        let name = !new.name.isEmpty ? new.name : !tagName.isEmpty ? tagName : RunNames.make(identifiers)
        tags.append(try Limits.runTag(KeyValue(key: runNameTag, value: name)))
        tags = tags.lastOfEachKey().sorted { $0.key < $1.key }
        return try await creations.submit(
            RunCreation(
                info: Run.Info(
                    id: Identifier<Run>(identifiers.hex32()),
                    name: name,
                    experimentID: experimentID,
                    userID: new.userID,
                    status: .running,
                    startTime: new.startTime,
                    endTime: nil,
                    artifactURI: "",
                    stage: .active
                ),
                tags: tags
            )
        )
    }

    /// A run in any stage, with everything that belongs to it.
    package func run(id: String) async throws -> Run {
        try await database.read { transaction in
            let found = try Self.runs(where: "r.run_uuid = ?", [.text(id)], transaction).first
            guard let found else { throw TrackingError.runNotFound(id: id) }
            return found
        }
    }

    /// Changes what is not nil of an active run; an empty name is ignored.
    package func updateRun(id: String, status: RunStatus?, endTime: Int64?, name: String?) async throws -> Run.Info {
        try await database.write(subject: Self.subject(id)) { [ledger, compactor] transaction in
            let row = try Self.activeRun(id, transaction)
            if let name, !name.isEmpty {
                _ = try Limits.checkLength(name, Limits.tagValueLength, "run_name")
                try Self.rename(row.key, to: name, transaction)
                try Self.setTags([try Limits.runTag(KeyValue(key: runNameTag, value: name))], on: row.key, transaction)
            }
            if let status {
                try transaction.execute(
                    "UPDATE runs SET status = ? WHERE run_id = ?",
                    [.text(status.rawValue), .integer(row.key)]
                )
            }
            if let endTime {
                try transaction.execute(
                    "UPDATE runs SET end_time = ? WHERE run_id = ?",
                    [.integer(endTime), .integer(row.key)]
                )
            }
            let info = try Self.infos(where: "r.run_id = ?", [.integer(row.key)], transaction).first
            guard let info else { throw TrackingError.runNotFound(id: id) }
            transaction.onCommit { [compactor, changes = ledger.changes] in
                changes.note("run.updated run/\(id)")
                if info.info.endTime != nil { compactor.noteEnd(run: row.key) }
            }
            return info.info
        }
    }

    /// Moves a run into the trash, or out of it; does nothing when it is there already.
    package func moveRun(id: String, to stage: LifecycleStage) async throws {
        try await database.write(subject: Self.subject(id)) { [self] transaction in
            let row = try Self.runRow(id, transaction)
            guard row.stage != stage else { return }
            try transaction.execute(
                "UPDATE runs SET lifecycle_stage = ?, deleted_time = ? WHERE run_id = ?",
                [
                    .text(stage.rawValue), stage == .deleted ? .integer(clock.milliseconds) : .null,
                    .integer(row.key),
                ]
            )
            let action = stage == .deleted ? "run.deleted" : "run.restored"
            try ledger.record(LedgerEvent(action: action, subject: "run/\(id)"), in: transaction)
        }
    }

    /// Moves runs to another experiment; their artifacts stay where they are.
    package func moveRuns(ids: [String], toExperiment experimentID: String) async throws {
        let target = try Experiment.parseID(experimentID)
        try await database.write { [self] transaction in
            let stage = try transaction.first(
                "SELECT lifecycle_stage FROM experiments WHERE experiment_id = ?\(transaction.dialect.forShare)",
                [.integer(target)]
            ) { $0.text(0) }
            guard let stage else { throw TrackingError.experimentNotFound(id: experimentID) }
            guard stage == LifecycleStage.active.rawValue else { throw TrackingError.experimentNotActive(id: target) }
            for id in ids {
                let row = try Self.activeRun(id, transaction)
                guard row.experimentID != target else { continue }
                try transaction.execute(
                    "UPDATE runs SET experiment_id = ? WHERE run_id = ?",
                    [.integer(target), .integer(row.key)]
                )
                try transaction.execute(
                    "UPDATE latest_metrics SET experiment_id = ? WHERE run_id = ?",
                    [.integer(target), .integer(row.key)]
                )
                try Self.moveInputs(of: row.key, toExperiment: target, transaction)
                try ledger.record(
                    LedgerEvent(
                        action: "run.moved",
                        subject: "run/\(id)",
                        payload: "{\"from\":\"\(row.experimentID)\",\"to\":\"\(target)\"}"
                    ),
                    in: transaction
                )
            }
        }
    }

    /// Gives a run's inputs to the datasets of its new experiment, which are made if need be.
    private static func moveInputs(of run: Int64, toExperiment target: Int64, _ transaction: Transaction) throws {
        let twins = """
            JOIN datasets d ON d.dataset_id = i.dataset_id
            JOIN datasets n ON n.experiment_id = ? AND n.name = d.name AND n.digest = d.digest
            WHERE i.run_id = ? AND d.experiment_id <> n.experiment_id
            """
        for statement in [
            """
            INSERT INTO datasets (experiment_id, name, digest, source_type, source, schema, profile)
            SELECT CAST(? AS INTEGER), d.name, d.digest, d.source_type, d.source, d.schema, d.profile
            FROM inputs i
            JOIN datasets d ON d.dataset_id = i.dataset_id
            WHERE i.run_id = ?
            ON CONFLICT DO NOTHING
            """,
            "INSERT INTO inputs (run_id, dataset_id) SELECT i.run_id, n.dataset_id FROM inputs i \(twins) ON CONFLICT DO NOTHING",
            """
            INSERT INTO input_tags (run_id, dataset_id, name, value)
            SELECT i.run_id, n.dataset_id, i.name, i.value FROM input_tags i \(twins)
            ON CONFLICT DO NOTHING
            """,
        ] {
            try transaction.execute(statement, [.integer(target), .integer(run)])
        }
        try transaction.execute(
            """
            DELETE FROM inputs
            WHERE run_id = ? AND dataset_id IN (SELECT dataset_id FROM datasets WHERE experiment_id <> ?)
            """,
            [.integer(run), .integer(target)]
        )
    }

    /// Deletes a tag of an active run.
    package func deleteTag(run id: String, key: String) async throws {
        try await database.write(subject: Self.subject(id)) { [ledger] transaction in
            let row = try Self.activeRun(id, transaction)
            let deleted = try transaction.executeAndCount(
                "DELETE FROM tags WHERE run_id = ? AND key = ?",
                [.integer(row.key), .text(key)]
            )
            guard deleted > 0 else { throw TrackingError.runTagNotFound(key: key, run: id) }
            transaction.onCommit { [changes = ledger.changes] in changes.note("run.updated run/\(id)") }
        }
    }

    /// The writes of one run follow one another.
    static func subject(_ run: String) -> String { "run/\(run)" }

    /// The row of a run, held against other writers until the transaction ends.
    static func runRow(_ id: String, _ transaction: Transaction) throws -> RunRow {
        try transaction.lock("run/\(id)")
        let row = try transaction.first(
            "SELECT run_id, experiment_id, lifecycle_stage FROM runs WHERE run_uuid = ?",
            [.text(id)]
        ) { RunRow($0, from: 0) }
        guard let row else { throw TrackingError.runNotFound(id: id) }
        return row
    }

    static func activeRun(_ id: String, _ transaction: Transaction) throws -> RunRow {
        let row = try runRow(id, transaction)
        guard row.stage == .active else { throw TrackingError.runNotActive(id: id) }
        return row
    }

    static func rename(_ key: Int64, to name: String, _ transaction: Transaction) throws {
        try transaction.execute("UPDATE runs SET name = ? WHERE run_id = ?", [.text(name), .integer(key)])
    }

    /// Sets tags whose keys differ from each other.
    static func setTags(_ tags: [KeyValue], on key: Int64, _ transaction: Transaction) throws {
        try transaction.insert(
            BulkInsert(
                into: "tags",
                [
                    ("run_id", .integers(tags.map { _ in key })),
                    ("key", .texts(tags.map(\.key))),
                    ("value", .texts(tags.map(\.value))),
                ],
                conflict: "ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value"
            )
        )
    }
}

extension [KeyValue] {
    /// The last value of each key; keys are told apart by their bytes, as the database does.
    package func lastOfEachKey() -> [KeyValue] {
        var places: [ExactText: Int] = [:]
        var kept: [KeyValue] = []
        for pair in self {
            if let place = places[ExactText(pair.key)] {
                kept[place] = pair
            } else {
                places[ExactText(pair.key)] = kept.count
                kept.append(pair)
            }
        }
        return kept
    }
}
