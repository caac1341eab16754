package import ApusConsole
package import ApusDatabase
package import ApusGateway
package import ApusKernel
package import ApusLedger
package import Logging
package import ServiceLifecycle

/// What is kept of predictions: the log, the last hour's figures, and what became of them.
///
/// Made before the endpoints, which tell ``observer``; the endpoints then tell the rest what there is.
package struct PredictionRecording: Sendable {
    package let log: InferenceLog
    package let recorder: InferenceRecorder
    package let history: TrafficHistory
    package let policies: LogPolicyStore
    private let database: Database
    private let clock: any WallClock
    private let logger: Logger

    /// Opens the log in a folder, which blocks for as long as it takes to read the heads of its blocks.
    package init(
        folder: String,
        database: Database,
        ledger: Ledger,
        clock: any WallClock = SystemWallClock(),
        logger: Logger
    ) {
        log = InferenceLog(folder: folder, clock: clock, logger: logger)
        recorder = InferenceRecorder(log: log)
        history = TrafficHistory(clock: clock)
        policies = LogPolicyStore(database: database, ledger: ledger, clock: clock)
        self.database = database
        self.clock = clock
        self.logger = logger
    }

    package static var migrations: [Migration] { LogPolicyStore.migrations + FeedbackStore.migrations }

    /// What endpoints tell of each prediction.
    package var observer: any InferenceObserver { ObserverGroup([history, recorder]) }

    /// Feedback; `sink` is told of new rewards.
    package func feedback(sink: (any RewardSink)?) -> FeedbackStore {
        FeedbackStore(database: database, clock: clock, sink: sink)
    }

    /// The API of the log and of feedback.
    package func routes(_ endpoints: any EndpointNames, _ feedback: FeedbackStore) -> [Route] {
        PredictionRoutes(
            log: log,
            recorder: recorder,
            policies: policies,
            feedback: feedback,
            endpoints: endpoints
        ).routes + FeedbackRoutes(store: feedback, endpoints: endpoints, clock: clock).routes
    }

    /// The pages of endpoints; `grpc` is where gRPC listens, or nil when it does not.
    package func pages(
        on console: Console,
        _ catalog: any EndpointCatalog,
        _ feedback: FeedbackStore,
        grpc: String?
    ) -> [Route] {
        ServingPages(
            console: console,
            catalog: catalog,
            history: history,
            log: log,
            policies: policies,
            feedback: feedback,
            clock: clock,
            grpc: grpc
        ).routes
    }

    /// Follows what is to be logged, and writes what waits when the server stops.
    ///
    /// To be started before the endpoints, so that it is stopped after them.
    package var service: any Service { LogService(recording: self, logger: logger) }
}

/// See ``PredictionRecording/service``.
private struct LogService: Service {
    let recording: PredictionRecording
    let logger: Logger

    /// Another server on the same database may have changed a policy.
    private static let pause = Duration.seconds(5)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    for (endpoint, policy) in try await recording.policies.all() {
                        recording.recorder.follow(policy, for: endpoint)
                    }
                } catch {
                    logger.error("what is to be logged could not be read", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: Self.pause)
            }
        }
        await recording.log.close()
    }
}
