package import ApusConsole
package import ApusDatabase
package import ApusGateway
import ApusKernel
package import ApusLedger
package import ApusVault
package import Logging
package import ServiceLifecycle

/// What serving brings to the product: endpoints, the protocols that they are called by, and what is kept of their
/// predictions.
package struct ServingCapability: Sendable {
    package let host: EndpointHost
    private let recording: PredictionRecording
    private let feedback: FeedbackStore
    private let grpc: (host: String, port: Int)?
    private let logger: Logger

    /// - Parameters:
    ///   - database: Has ``migrations``.
    ///   - ledger: Told of every change.
    ///   - versions: The registry.
    ///   - artifacts: Where the files of versions are.
    ///   - folder: Keeps copies of models, environments of Python, and the log of predictions.
    ///   - options: How models are loaded where nothing else is said.
    ///   - grpc: Where gRPC listens; nil for nowhere.
    ///   - logger: Told what changes and what fails.
    package init(
        database: Database,
        ledger: Ledger,
        versions: any ModelVersions,
        artifacts: ArtifactStore,
        folder: String,
        options: ModelLoader.Options = ModelLoader.Options(),
        grpc: (host: String, port: Int)? = nil,
        logger: Logger
    ) {
        recording = PredictionRecording(
            folder: "\(folder)/inference-log",
            database: database,
            ledger: ledger,
            logger: logger
        )
        var options = options
        options.python.folder = options.python.folder ?? "\(folder)/python"
        options.python.logger = logger
        host = EndpointHost(
            store: EndpointStore(database: database, ledger: ledger),
            versions: versions,
            files: ModelFolders(root: "\(folder)/models", artifacts: artifacts),
            load: ModelLoader().loading(defaults: options),
            observer: recording.observer,
            logger: logger
        )
        feedback = recording.feedback(sink: host)
        self.grpc = grpc
        self.logger = logger
    }

    package static var migrations: [Migration] { EndpointStore.migrations + PredictionRecording.migrations }

    /// The API of endpoints, of predictions and of feedback, and every protocol on the endpoints.
    package var routes: [Route] {
        EndpointRoutes(host: host).routes + recording.routes(host, feedback) + ServingProtocols.routes(host)
    }

    /// The pages of endpoints.
    package func pages(on console: Console) -> [Route] {
        recording.pages(on: console, host, feedback, grpc: grpc.map { "\($0.host):\($0.port)" })
    }

    /// What runs beside the routes, to be stopped last to first and after them, so that every request is answered and
    /// every answer recorded.
    package var services: [any Service] { [recording.service, host] }

    /// Listens for gRPC; nil when that was not asked for.
    package var listener: (any Service)? {
        guard let grpc else { return nil }
        return GRPCListener(
            host: grpc.host,
            port: grpc.port,
            services: [OpenInferenceService(directory: host)],
            logger: logger
        )
    }
}
