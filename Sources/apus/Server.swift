import ApusConsole
import ApusDatabase
import ApusGateway
import ApusKernel
import ApusLedger
import ApusVault
import Datasets
import Logging
import Registry
import ServiceLifecycle
import Serving
import Tracking
import UnixSignals

/// Puts the product together: the capabilities, on the mechanisms, behind the front door.
struct Server {
    let settings: ServerSettings
    let logger: Logger

    func run() async throws {
        let folder = try DataFolder.make(settings.dataFolder)
        try folder.lock()
        let database = try Database(settings.database, logger: logger)
        if try await database.hasTable("alembic_version") {
            throw RequestError.invalid(
                "This database was made by MLflow, whose tables are not ours. Give another one with --database."
            )
        }
        let applied = try await database.migrate(Self.migrations)
        if !applied.isEmpty { logger.info("migrated the database", metadata: ["steps": "\(applied.count)"]) }
        let ledger = Ledger(database: database, clock: SystemWallClock(), logger: logger)
        let blobs = try LocalBlobStore(path: settings.vaultFolder, logger: logger)
        try await VaultIdentity.bind(folder: settings.vaultFolder, to: database)
        let artifactHosts = ArtifactHostPolicy.fromEnvironment(storage: [settings.artifactRoot])
        let tracking = TrackingCapability(
            store: TrackingStore(
                database: database,
                ledger: ledger,
                artifactRoot: settings.artifactRoot,
                artifactHosts: artifactHosts
            ),
            artifacts: ArtifactStore(blobs: blobs, database: database),
            servesArtifacts: settings.servesArtifacts
        )
        try await tracking.store.prepare()
        let hooks = WebhookSettings.fromEnvironment()
        let registry = RegistryCapability(
            store: RegistryStore(
                database: database,
                ledger: ledger,
                runs: tracking.store,
                loggedModels: tracking.store,
                sources: try SourcePolicy.fromEnvironment(hosts: artifactHosts)
            ),
            artifacts: tracking.artifacts,
            webhooks: WebhookStore(
                database: database,
                ledger: ledger,
                egress: Egress(policy: hooks.egress),
                secrets: try WebhookSecrets.fromEnvironment(keyFile: "\(folder.path)/webhooks.key")
            ),
            deliveries: hooks.delivery,
            logger: logger
        )
        let serving = ServingCapability(
            database: database,
            ledger: ledger,
            versions: registry.store,
            artifacts: tracking.artifacts.artifacts,
            folder: folder.path,
            options: settings.modelOptions,
            grpc: settings.grpcPort.map { (settings.host, $0) },
            logger: logger
        )
        let datasets = DatasetsCapability(
            database: database,
            ledger: ledger,
            blobs: blobs,
            tracking: tracking.store
        )
        let drain = Drain()
        let console = Console(prefix: settings.staticPrefix, version: Build.version, changes: ledger.changes)
        let accessLog = try AccessLog.open(settings.accessLog)
        let observation = RequestObservation()
        let reporter = SystemReporter(
            settings: settings,
            database: database,
            tracking: tracking,
            registry: registry,
            observation: observation
        )
        let metrics = ServingMetrics(directory: serving.host, dialects: settings.metricsDialects)
        let responder = GatewayResponder(
            routes: settings.keepsOnlyArtifacts
                ? tracking.artifactsOnlyRoutes
                    + registry.routes.map { $0.disabled(because: TrackingCapability.artifactsOnly) }
                : serving.routes + tracking.routes + registry.routes + datasets.routes + console.routes
                    + tracking.pages(on: console, registered: registry.store)
                    + registry.pages(on: console, origins: tracking.store)
                    + serving.pages(on: console)
                    + datasets.pages(on: console)
                    + [
                        console.page("console/system", .read(.server)) { _ in
                            SystemPage(try await reporter.report()).page
                        }
                    ],
            configuration: .init(
                hostCheck: HostCheck(
                    allowedHosts: settings.allowedHosts,
                    allowedOrigins: settings.allowedOrigins,
                    isOff: !settings.checksHosts
                ),
                staticPrefix: settings.staticPrefix,
                accessLog: accessLog,
                logger: logger,
                observation: observation,
                drain: drain,
                page: { [isConsole = !settings.keepsOnlyArtifacts] path, status, id in
                    isConsole ? console.missing(path, status, id: id) : nil
                }
            ),
            gauges: {
                [
                    .init(
                        "apus_database_waiting_writes",
                        help: "Requests that wait for the writer.",
                        value: Double(database.waitingWrites + tracking.store.waitingWrites)
                    ),
                    .init(
                        "apus_database_waiting_reads",
                        help: "Requests that wait for a reader.",
                        value: Double(database.waitingReads)
                    ),
                ]
            },
            text: { metrics.write(to: &$0) }
        )
        let front = GatewayServer.application(
            responder,
            host: settings.host,
            port: settings.port,
            drain: drain,
            logger: logger,
            onRunning: { port in announce(port: port) }
        )
        var services: [any Service] = [ledger] + tracking.services + registry.services
        if !settings.keepsOnlyArtifacts { services += serving.services }
        if !settings.keepsOnlyArtifacts, let listener = serving.listener { services.append(listener) }
        if let accessLog { services.append(AccessLogService(log: accessLog)) }
        var configuration = ServiceGroupConfiguration(
            services: services + [front, DrainService(drain, notice: .milliseconds(250))],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = .seconds(30)
        try await ServiceGroup(configuration: configuration).run()
        await database.close()
    }

    /// The schema of all capabilities, oldest step first in each.
    static var migrations: [Migration] {
        Ledger.migrations + ArtifactTree.migrations + VaultIdentity.migrations + TrackingCapability.migrations
            + RegistryCapability.migrations + ServingCapability.migrations + DatasetsCapability.migrations
    }

    private func announce(port: Int) {
        let host = settings.host == "0.0.0.0" || settings.host == "::" ? "127.0.0.1" : settings.host
        let shown = host.contains(":") ? "[\(host)]" : host
        Terminal.say(
            "Apus is at http://\(shown):\(port)\(settings.staticPrefix) with its data in \(settings.dataFolder)"
        )
    }
}
