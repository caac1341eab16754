import ApusGateway
import ApusKernel
import ApusLedger
package import Logging
import ServiceLifecycle
import Synchronization

/// Tells webhooks what happened, in the background.
///
/// The chain of the Ledger is read in sequence; each event becomes one stored delivery for each webhook that asked
/// for it, and deliveries are sent until the receiver takes them or the tries are spent. Both survive a restart, so
/// every delivery is made at least once.
package final class WebhookService: Service {
    /// How deliveries are made.
    package struct Configuration: Sendable {
        /// Tries after the first.
        package var maximumRetries: Int
        /// The most deliveries at one time.
        package var workers: Int
        /// The most deliveries to one webhook at one time.
        package var workersPerWebhook = 4
        /// A server that dies while it delivers leaves the delivery to others after this time; longer than a try.
        package var lease: Duration

        package init(maximumRetries: Int = 3, workers: Int = 10, lease: Duration = .seconds(90)) {
            self.maximumRetries = max(0, maximumRetries)
            self.workers = min(max(1, workers), 1_000)
            self.lease = lease
        }
    }

    /// Events that concern no webhook move the stored cursor only so often.
    private static let cursorStep: Int64 = 10_000

    private let store: WebhookStore
    private let configuration: Configuration
    private let logger: Logger
    private let sender: WebhookSender
    private let running = Mutex<[Int64: Int]>([:])
    private let bell: AsyncStream<Void>.Continuation
    private let rings: AsyncStream<Void>

    package init(store: WebhookStore, configuration: Configuration = Configuration(), logger: Logger) {
        self.store = store
        self.configuration = configuration
        self.logger = logger
        sender = WebhookSender(egress: store.egress, secrets: store.secrets, clock: store.clock)
        (rings, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Works until the service is stopped; what is under way then is taken up at the next start.
    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withDiscardingTaskGroup { group in
                group.addTask { await self.distribute() }
                group.addTask { await self.dispatch() }
                group.addTask {
                    // Deliveries that were postponed ring no bell.
                    while !Task.isCancelled {
                        self.bell.yield()
                        try? await Task.sleep(for: .seconds(1))
                    }
                }
            }
        }
    }

    // MARK: From events to deliveries

    private func distribute() async {
        await LedgerFollower(store.ledger, at: store, step: Self.cursorStep).run { [logger] in
            logger.error("events could not be handed to webhooks", metadata: ["error": "\($0)"])
        } _: {
            try await self.hand($0)
        }
    }

    private func hand(_ sealed: SealedEvent) async throws {
        if try await store.distribute(sealed) > 0 { bell.yield() }
    }

    // MARK: From deliveries to receivers

    private func dispatch() async {
        await withDiscardingTaskGroup { group in
            for await _ in rings {
                do {
                    while let claimed = try await claim() {
                        for delivery in claimed {
                            group.addTask { await self.deliver(delivery) }
                        }
                    }
                } catch {
                    logger.error("deliveries could not be read", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    /// Takes as many deliveries as there are free workers; nil when there is nothing to do.
    private func claim() async throws -> [WebhookDelivery]? {
        let busy = running.withLock { $0 }
        let free = configuration.workers - busy.values.reduce(0, +)
        guard free > 0, !Task.isCancelled else { return nil }
        let claimed = try await store.claim(
            limit: free,
            perWebhook: configuration.workersPerWebhook,
            running: busy,
            lease: configuration.lease
        )
        guard !claimed.isEmpty else { return nil }
        running.withLock { running in
            for delivery in claimed { running[delivery.webhookKey, default: 0] += 1 }
        }
        return claimed
    }

    private func deliver(_ delivery: WebhookDelivery) async {
        do {
            try await attempt(delivery)
        } catch {
            // The lease runs out, and the delivery is tried again then.
            logger.error(
                "the outcome of a delivery could not be noted",
                metadata: ["webhook_id": "\(delivery.webhookID)", "error": "\(error)"]
            )
        }
        running.withLock { running in
            let left = (running[delivery.webhookKey] ?? 1) - 1
            running[delivery.webhookKey] = left > 0 ? left : nil
        }
        bell.yield()
    }

    private func attempt(_ delivery: WebhookDelivery) async throws {
        let outcome: RetryPolicy.Outcome
        do {
            outcome = .answered(try await sender.send(delivery))
        } catch let error as EgressError {
            outcome = .failed(error)
        } catch is CancellationError {
            return try await store.postpone(delivery, by: .zero, countsTry: false)
        } catch {
            logger.error("a webhook's secret cannot be read", metadata: ["webhook_id": "\(delivery.webhookID)"])
            return try await store.finish(delivery)
        }
        let policy = RetryPolicy(maximumRetries: configuration.maximumRetries)
        let jitter = Duration.milliseconds(store.identifiers.below(1_000))
        switch policy.decision(after: outcome, tries: delivery.tries, jitter: jitter) {
        case .delivered:
            try await store.finish(delivery)
        case .again(let delay):
            try await store.postpone(delivery, by: delay, countsTry: true)
        case .giveUp:
            logger.warning(
                "a webhook was not delivered",
                metadata: [
                    "webhook_id": "\(delivery.webhookID)", "delivery_id": "\(delivery.id)",
                    "tries": "\(delivery.tries + 1)",
                ]
            )
            try await store.finish(delivery)
        }
    }
}
