package import ApusDatabase
package import ApusKernel
package import ApusLedger

/// Experiments, runs, metrics, params, tags, datasets and logged models.
package final class TrackingStore: Sendable {
    package let database: Database
    package let ledger: Ledger
    package let clock: any WallClock
    package let identifiers: any IdentifierSource
    /// Artifacts of an experiment go to `<root>/<experiment id>`.
    package let artifactRoot: String
    /// Which hosts clients may name in locations.
    let artifactHosts: ArtifactHostPolicy
    /// Turns what requests added into what histories read; the composition root runs it.
    package let compactor: MetricCompactor
    let logs: WriteGroup<LogBatch, Void>
    let creations: WriteGroup<RunCreation, Run>

    /// The artifact root is `mlflow-artifacts:/` when this server keeps the artifacts.
    package init(
        database: Database,
        ledger: Ledger,
        clock: any WallClock = SystemWallClock(),
        identifiers: any IdentifierSource = RandomIdentifiers(),
        artifactRoot: String = "mlflow-artifacts:/",
        artifactHosts: ArtifactHostPolicy = ArtifactHostPolicy()
    ) {
        self.database = database
        self.ledger = ledger
        self.clock = clock
        self.identifiers = identifiers
        self.artifactRoot = artifactRoot
        self.artifactHosts = artifactHosts
        compactor = MetricCompactor(database: database)
        logs = WriteGroup(
            database,
            weight: \.weight,
            perform: LogGroup(metricKeys: MetricKeys(), compactor: compactor, changes: ledger.changes).perform
        )
        creations = WriteGroup(
            database,
            weight: \.weight,
            perform: RunCreationGroup(ledger: ledger).perform
        )
    }

    /// The requests that wait to be carried out together with others.
    package var waitingWrites: Int { logs.waitingCount + creations.waitingCount }

    /// Makes the experiment `Default` when the database is new.
    package func prepare() async throws {
        try await database.write { [self] transaction in
            let exists = try transaction.first("SELECT 1 FROM experiments LIMIT 1") { _ in true } ?? false
            guard !exists else { return }
            let now = clock.milliseconds
            let added = try transaction.executeAndCount(
                """
                INSERT INTO experiments (
                    experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time
                )
                VALUES (?, ?, ?, 'active', ?, ?)
                ON CONFLICT DO NOTHING
                """,
                [
                    .integer(Experiment.defaultID), .text(Experiment.defaultName),
                    .text(Self.appending("\(Experiment.defaultID)", to: artifactRoot)), .integer(now), .integer(now),
                ]
            )
            guard added > 0 else { return }
            try ledger.record(
                LedgerEvent(
                    actor: "system",
                    action: "experiment.created",
                    subject: "experiment/\(Experiment.defaultID)"
                ),
                in: transaction
            )
        }
    }

    /// A location with further segments before its query.
    static func appending(_ segments: String, to location: String) -> String {
        let path = location.prefix { $0 != "?" && $0 != "#" }
        let tail = location[path.endIndex...]
        return path.hasSuffix("/") ? "\(path)\(segments)\(tail)" : "\(path)/\(segments)\(tail)"
    }
}
