import ApusDatabase
import ApusKernel
import ApusLedger

extension TrackingStore {
    /// Makes an experiment.
    ///
    /// An empty `artifactLocation` stands for the default below the artifact root.
    ///
    /// - Returns: Its identifier.
    /// - Throws: `TrackingError.experimentExists`, also when the one of that name is deleted, or
    ///   `INVALID_PARAMETER_VALUE`.
    package func createExperiment(name: String, artifactLocation: String, tags: [KeyValue]) async throws -> Int64 {
        guard name.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
            throw RequestError.invalid("Invalid experiment name: '\(name)'")
        }
        guard name.unicodeScalars.count <= Limits.experimentNameLength else {
            throw RequestError.invalid(
                "'name' exceeds the maximum length of \(Limits.experimentNameLength) characters"
            )
        }
        let location = try ArtifactLocation.checked(artifactLocation, hosts: artifactHosts)
        try Limits.checkCreationTags(tags)
        for tag in tags { try Self.checkExperimentTag(tag) }
        return try await database.write { [self] transaction in
            let now = clock.milliseconds
            let id: Int64?
            do {
                id = try transaction.first(
                    """
                    INSERT INTO experiments (
                        name, artifact_location, lifecycle_stage, creation_time, last_update_time
                    )
                    VALUES (?, ?, 'active', ?, ?)
                    RETURNING experiment_id
                    """,
                    [.text(name), .text(location), .integer(now), .integer(now)]
                ) { $0.integer(0) }
            } catch let error as DatabaseError where error.kind == .duplicate {
                throw TrackingError.experimentExists(name: name)
            }
            guard let id else { throw DatabaseError(.other, "no identifier was returned") }
            if location.isEmpty {
                try transaction.execute(
                    "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?",
                    [.text(Self.appending("\(id)", to: artifactRoot)), .integer(id)]
                )
            }
            for tag in tags { try Self.setExperimentTag(tag, on: id, transaction) }
            try ledger.record(
                LedgerEvent(
                    action: "experiment.created",
                    subject: "experiment/\(id)",
                    payload: "{\"name\":\(jsonString(name))}"
                ),
                in: transaction
            )
            return id
        }
    }

    /// An experiment in any stage.
    package func experiment(id: String) async throws -> Experiment {
        let number = try Experiment.parseID(id)
        return try await database.read { try Self.experiment(number, $0) }
    }

    /// An experiment in any stage.
    package func experiment(named name: String) async throws -> Experiment {
        try await database.read { transaction in
            let found = try Self.experiments(where: "e.name = ?", [.text(name)], transaction).first
            guard let found else { throw TrackingError.experimentNameNotFound(name) }
            return found
        }
    }

    /// Renames an active experiment.
    package func renameExperiment(id: String, to name: String) async throws {
        let number = try Experiment.parseID(id)
        guard name.unicodeScalars.count <= Limits.experimentNameLength else {
            throw RequestError.invalid(
                "'name' exceeds the maximum length of \(Limits.experimentNameLength) characters"
            )
        }
        try await database.write { [self] transaction in
            let experiment = try Self.experiment(number, transaction)
            guard experiment.stage == .active else {
                throw RequestError(.invalidState, "Cannot rename a non-active experiment.")
            }
            do {
                _ = try transaction.executeAndCount(
                    "UPDATE experiments SET name = ?, last_update_time = ? WHERE experiment_id = ?",
                    [.text(name), .integer(clock.milliseconds), .integer(number)]
                )
            } catch let error as DatabaseError where error.kind == .duplicate {
                throw TrackingError.experimentExists(name: name)
            }
            try ledger.record(
                LedgerEvent(
                    action: "experiment.renamed",
                    subject: "experiment/\(number)",
                    payload: "{\"name\":\(jsonString(name))}"
                ),
                in: transaction
            )
        }
    }

    /// Moves an experiment and all of its runs into the trash, or out of it.
    ///
    /// - Throws: `TrackingError.experimentNotFound` unless it is in the other stage.
    package func moveExperiment(id: String, to stage: LifecycleStage) async throws {
        let number = try Experiment.parseID(id)
        try await database.write { [self] transaction in
            let now = clock.milliseconds
            let changed = try transaction.executeAndCount(
                """
                UPDATE experiments
                SET lifecycle_stage = ?, last_update_time = ?
                WHERE experiment_id = ? AND lifecycle_stage <> ?
                """,
                [.text(stage.rawValue), .integer(now), .integer(number), .text(stage.rawValue)]
            )
            guard changed > 0 else { throw TrackingError.experimentNotFound(id: id) }
            try transaction.execute(
                "UPDATE runs SET lifecycle_stage = ?, deleted_time = ? WHERE experiment_id = ?",
                [.text(stage.rawValue), stage == .deleted ? .integer(now) : .null, .integer(number)]
            )
            try ledger.record(
                LedgerEvent(
                    action: stage == .deleted ? "experiment.deleted" : "experiment.restored",
                    subject: "experiment/\(number)"
                ),
                in: transaction
            )
        }
    }

    /// Sets a tag of an active experiment.
    package func setExperimentTag(id: String, _ tag: KeyValue) async throws {
        let number = try Experiment.parseID(id)
        try Self.checkExperimentTag(tag)
        try await database.write { transaction in
            let experiment = try Self.experiment(number, transaction)
            guard experiment.stage == .active else { throw TrackingError.experimentNotActive(id: number) }
            try Self.setExperimentTag(tag, on: number, transaction)
        }
    }

    /// Deletes a tag of an active experiment.
    package func deleteExperimentTag(id: String, key: String) async throws {
        let number = try Experiment.parseID(id)
        try await database.write { transaction in
            let experiment = try Self.experiment(number, transaction)
            guard experiment.stage == .active else { throw TrackingError.experimentNotActive(id: number) }
            let deleted = try transaction.executeAndCount(
                "DELETE FROM experiment_tags WHERE experiment_id = ? AND key = ?",
                [.integer(number), .text(key)]
            )
            guard deleted > 0 else { throw TrackingError.experimentTagNotFound(key: key, experiment: id) }
        }
    }

    /// An experiment in any stage, with its tags.
    static func experiment(_ id: Int64, _ transaction: Transaction) throws -> Experiment {
        let found = try experiments(where: "e.experiment_id = ?", [.integer(id)], transaction).first
        guard let found else { throw TrackingError.experimentNotFound(id: "\(id)") }
        return found
    }

    /// Experiments with their tags, in the order that `clause` gives.
    ///
    /// `clause` is a condition on the table `e`, and what follows it.
    static func experiments(
        where clause: String,
        _ values: [SQLValue],
        _ transaction: Transaction
    ) throws -> [Experiment] {
        var found = try transaction.query(
            """
            SELECT e.experiment_id, e.name, e.artifact_location, e.lifecycle_stage, e.creation_time, e.last_update_time
            FROM experiments e
            WHERE \(clause)
            """,
            values
        ) { row in
            Experiment(
                id: row.integer(0),
                name: row.text(1),
                artifactLocation: row.text(2),
                stage: LifecycleStage(rawValue: row.text(3)) ?? .active,
                creationTime: row.integer(4),
                lastUpdateTime: row.integer(5)
            )
        }
        guard !found.isEmpty else { return [] }
        var tags: [Int64: [KeyValue]] = [:]
        try transaction.forEach(
            """
            SELECT experiment_id, key, value
            FROM experiment_tags
            WHERE experiment_id IN (?*)
            ORDER BY experiment_id, key
            """,
            [.integers(found.map(\.id))]
        ) { tags[$0.integer(0), default: []].append(KeyValue(key: $0.text(1), value: $0.text(2))) }
        for index in found.indices { found[index].tags = tags[found[index].id] ?? [] }
        return found
    }

    private static func checkExperimentTag(_ tag: KeyValue) throws {
        try Limits.checkName(tag.key, path: "key")
        _ = try Limits.checkLength(tag.key, Limits.keyLength, "key")
        _ = try Limits.checkLength(tag.value, Limits.experimentTagValueLength, "value")
    }

    private static func setExperimentTag(_ tag: KeyValue, on id: Int64, _ transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO experiment_tags (experiment_id, key, value)
            VALUES (?, ?, ?)
            ON CONFLICT (experiment_id, key) DO UPDATE SET value = excluded.value
            """,
            [.integer(id), .text(tag.key), .text(tag.value)]
        )
    }
}
