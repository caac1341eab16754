package import ApusGateway
package import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// A process that serves models and nothing else: all protocols on one HTTP port, and gRPC on another.
///
/// When it is asked to stop, it says that it is not ready any more and asks callers to close their connections, takes
/// no more of them a moment later, answers what is in flight or waits in a queue, and gives up its models.
package struct ServingHost {
    /// How the process is reached, and how it ends.
    package struct Configuration: Sendable {
        package var host = "127.0.0.1"
        /// 0 for any free port.
        package var httpPort = 8000
        /// 0 for any free port; nil for no gRPC.
        package var grpcPort: Int?
        /// The longest that requests are waited for at the end.
        package var exitTimeout = Duration.seconds(30)
        /// How long requests are still taken after the signal to end.
        package var drainNotice = Duration.milliseconds(500)
        package var hostCheck = HostCheck()
        package var accessLog: AccessLog?
        /// Routes beside those of ``ServingProtocols/routes(_:)``.
        package var moreRoutes: @Sendable (any ModelDirectory) -> [Route] = { _ in [] }
        /// Whose names for metrics are used besides ours.
        package var metricsDialects: Set<ServingMetrics.Dialect> = []
        package var logger: Logger

        package init(logger: Logger) {
            self.logger = logger
        }
    }

    /// The ports that were bound.
    package struct Ports: Sendable {
        package var http: Int
        package var grpc: Int?
    }

    private let models: any HostedModels
    private let configuration: Configuration
    private let onReady: @Sendable (Ports) async -> Void

    /// - Parameters:
    ///   - models: What is served.
    ///   - configuration: Where it is served.
    ///   - onReady: Called once, when the ports are bound and the models are loaded.
    package init(
        models: any HostedModels,
        configuration: Configuration,
        onReady: @escaping @Sendable (Ports) async -> Void
    ) {
        self.models = models
        self.configuration = configuration
        self.onReady = onReady
    }

    /// Serves until the process is asked to stop.
    ///
    /// - Throws: When a port cannot be bound, or what ``HostedModels/run(onLoaded:)`` throws.
    package func run() async throws {
        let drain = Drain()
        let start = Start(waitsForGRPC: configuration.grpcPort != nil, onReady)
        let directory = DrainingDirectory(base: models, drain: drain) { start.isLoaded }
        let metrics = ServingMetrics(directory: directory, dialects: configuration.metricsDialects)
        let responder = GatewayResponder(
            routes: ServingProtocols.routes(directory) + configuration.moreRoutes(directory),
            configuration: .init(
                hostCheck: configuration.hostCheck,
                accessLog: configuration.accessLog,
                logger: configuration.logger,
                drain: drain
            ),
            text: { metrics.write(to: &$0) }
        )
        var services: [any Service] = []
        if let log = configuration.accessLog { services.append(AccessLogService(log: log)) }
        services.append(
            GatewayServer.application(
                responder,
                host: configuration.host,
                port: configuration.httpPort,
                drain: drain,
                logger: configuration.logger,
                onRunning: { await start.bound(http: $0) }
            )
        )
        if let port = configuration.grpcPort {
            let inference = OpenInferenceService(directory: directory)
            services.append(
                GRPCListener(
                    host: configuration.host,
                    port: port,
                    services: [inference, inference.health],
                    logger: configuration.logger,
                    onRunning: { await start.bound(grpc: $0) }
                )
            )
        }
        services.append(DrainService(drain, notice: configuration.drainNotice))
        // Without its models the process ends in order, and tells only why.
        let loading = ServiceGroupConfiguration.ServiceConfiguration(
            service: ModelsService(models: models, onLoaded: { await start.loaded() }),
            failureTerminationBehavior: .gracefullyShutdownGroup
        )
        var group = ServiceGroupConfiguration(
            services: [loading] + services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: configuration.logger
        )
        group.maximumGracefulShutdownDuration = configuration.exitTimeout
        try await ServiceGroup(configuration: group).run()
    }

    /// Loads the models; the last service to end, so that what was taken is answered.
    private struct ModelsService: Service {
        let models: any HostedModels
        let onLoaded: @Sendable () async -> Void

        func run() async throws {
            do {
                try await cancelWhenGracefulShutdown { try await models.run(onLoaded: onLoaded) }
            } catch is CancellationError {}
            await models.close()
        }
    }

    /// Waits until everything is there.
    private final class Start: Sendable {
        private struct State {
            var http: Int?
            var grpc: Int?
            var isLoaded = false
        }

        private let waitsForGRPC: Bool
        private let onReady: @Sendable (Ports) async -> Void
        private let state = Mutex(State())

        init(waitsForGRPC: Bool, _ onReady: @escaping @Sendable (Ports) async -> Void) {
            self.waitsForGRPC = waitsForGRPC
            self.onReady = onReady
        }

        var isLoaded: Bool { state.withLock { $0.isLoaded } }

        func bound(http port: Int) async { await take { $0.http = port } }
        func bound(grpc port: Int) async { await take { $0.grpc = port } }
        func loaded() async { await take { $0.isLoaded = true } }

        private func take(_ change: (inout State) -> Void) async {
            let ports = state.withLock { state -> Ports? in
                change(&state)
                guard let http = state.http, state.isLoaded, !waitsForGRPC || state.grpc != nil else { return nil }
                return Ports(http: http, grpc: state.grpc)
            }
            if let ports { await onReady(ports) }
        }
    }
}
