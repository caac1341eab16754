import ApusDatabase
import ApusKernel
import ApusLedger

/// A run that is to be made; its artifact location comes from its experiment.
struct RunCreation: Sendable {
    var info: Run.Info
    /// Sorted, with different keys.
    let tags: [KeyValue]

    /// How many rows it changes, about.
    var weight: Int { 4 + tags.count }
}

/// Makes the runs that many requests ask for, as one set.
struct RunCreationGroup: Sendable {
    let ledger: Ledger

    /// Answers each request with its run; one that is answered with a failure has changed nothing.
    func perform(_ creations: [RunCreation], _ transaction: Transaction) throws -> [Result<Run, any Error>] {
        let experiments = try Self.experiments(of: creations, transaction)
        let results = creations.map { creation in
            Result<Run, any Error> {
                let id = creation.info.experimentID
                guard let experiment = experiments[id] else { throw TrackingError.experimentNotFound(id: "\(id)") }
                guard experiment.stage == .active else { throw TrackingError.experimentNotActive(id: id) }
                var info = creation.info
                info.artifactURI = TrackingStore.appending("\(info.id.rawValue)/artifacts", to: experiment.location)
                return Run(info: info, tags: creation.tags)
            }
        }
        let runs = results.compactMap { try? $0.get() }
        try Self.insert(runs, transaction)
        try ledger.record(
            runs.map { run in
                LedgerEvent(
                    action: "run.created",
                    subject: "run/\(run.info.id)",
                    payload: "{\"experiment_id\":\"\(run.info.experimentID)\"}"
                )
            },
            in: transaction
        )
        return results
    }

    /// The experiments of the runs, held against deletion until the transaction ends.
    private static func experiments(
        of creations: [RunCreation],
        _ transaction: Transaction
    ) throws -> [Int64: (location: String, stage: LifecycleStage)] {
        var experiments: [Int64: (location: String, stage: LifecycleStage)] = [:]
        try transaction.forEach(
            """
            SELECT experiment_id, artifact_location, lifecycle_stage
            FROM experiments
            WHERE experiment_id IN (?*)\(transaction.dialect.forShare)
            """,
            [.integers(Array(Set(creations.map(\.info.experimentID))))]
        ) { row in
            experiments[row.integer(0)] = (row.text(1), LifecycleStage(rawValue: row.text(2)) ?? .deleted)
        }
        return experiments
    }

    private static func insert(_ runs: [Run], _ transaction: Transaction) throws {
        guard !runs.isEmpty else { return }
        try transaction.insert(
            BulkInsert(
                into: "runs",
                [
                    ("run_uuid", .texts(runs.map(\.info.id.rawValue))),
                    ("name", .texts(runs.map(\.info.name))),
                    ("experiment_id", .integers(runs.map(\.info.experimentID))),
                    ("user_id", .texts(runs.map(\.info.userID))),
                    ("status", .texts(runs.map(\.info.status.rawValue))),
                    ("start_time", .integers(runs.map(\.info.startTime))),
                    ("lifecycle_stage", .texts(runs.map(\.info.stage.rawValue))),
                    ("artifact_uri", .texts(runs.map(\.info.artifactURI))),
                ],
                conflict: ""
            )
        )
        var keys: [String: Int64] = [:]
        try transaction.forEach(
            "SELECT run_uuid, run_id FROM runs WHERE run_uuid IN (?*)",
            [.texts(runs.map(\.info.id.rawValue))]
        ) { keys[$0.text(0)] = $0.integer(1) }
        let tags = try runs.flatMap { run in
            guard let key = keys[run.info.id.rawValue] else { throw DatabaseError(.other, "a new run vanished") }
            return run.tags.map { (run: key, tag: $0) }
        }
        try transaction.insert(
            BulkInsert(
                into: "tags",
                [
                    ("run_id", .integers(tags.map(\.run))),
                    ("key", .texts(tags.map(\.tag.key))),
                    ("value", .texts(tags.map(\.tag.value))),
                ],
                conflict: ""
            )
        )
    }
}
