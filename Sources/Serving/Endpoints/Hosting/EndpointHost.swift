import ApusKernel
package import Logging
import ServiceLifecycle
import Synchronization

/// Serves the endpoints of a server: finds them by name for the protocols, and moves their rollouts on.
package final class EndpointHost: ModelDirectory, RewardSink, Service {
    let store: EndpointStore
    let resolver: DeploymentResolver
    private let files: any ModelFiles
    private let logger: Logger
    private let context: EndpointController.Context
    private let controllers = Mutex<[String: EndpointController]>([:])
    private let isCleaning = Mutex(false)
    /// How often rollouts are looked at.
    private let pulse: Duration

    /// - Parameters:
    ///   - store: Where endpoints are kept.
    ///   - versions: The registry.
    ///   - files: Brings models to this machine.
    ///   - load: Loads them.
    ///   - observer: Is told of every prediction.
    ///   - pulse: How often rollouts are looked at.
    ///   - logger: Told what changes.
    package init(
        store: EndpointStore,
        versions: any ModelVersions,
        files: any ModelFiles,
        load: @escaping ModelLoading,
        observer: (any InferenceObserver)? = nil,
        pulse: Duration = .milliseconds(200),
        logger: Logger
    ) {
        self.store = store
        self.files = files
        self.logger = logger
        self.pulse = pulse
        resolver = DeploymentResolver(versions: versions)
        context = EndpointController.Context(
            store: store,
            files: files,
            load: load,
            clock: store.clock,
            observer: observer,
            logger: logger
        )
    }

    // MARK: For the protocols

    package func servable(_ name: String, version: String?) throws -> any Servable {
        guard let controller = controllers.withLock({ $0[name] }) else {
            throw ServingError.unknownModel(name, version: version)
        }
        if let version, !version.isEmpty {
            if let pinned = controller.servable.pinned(version: version) { return pinned }
            if let listing = controller.listings.first(where: { $0.version == version }) {
                throw ServingError.notReady(name, version: version, reason: listing.reason)
            }
            throw ServingError.unknownModel(name, version: version)
        }
        guard controller.servable.current != nil else {
            throw ServingError.notReady(name, reason: controller.listings.first?.reason ?? "")
        }
        return controller.servable
    }

    package var listings: [ModelListing] {
        controllers.withLock { $0.values.map { $0 } }.flatMap(\.listings).sorted {
            ($0.name, $0.version.utf8.count, $0.version) < ($1.name, $1.version.utf8.count, $1.version)
        }
    }

    @discardableResult
    package func reward(_ value: Double, for id: PredictionID, endpoint: String) -> Bool {
        guard value.isFinite, let table = controllers.withLock({ $0[endpoint] })?.servable.current else { return false }
        let found = table.all.first { UInt16(truncatingIfNeeded: $0.deployment.number) == id.deployment }
        guard let found else { return false }
        found.note(reward: value)
        if let arm = table.arms.firstIndex(where: { $0 === found }) { table.policy.observe(reward: value, arm: arm) }
        return true
    }

    // MARK: Life

    /// Brings back all endpoints, then follows time and the registry until the service is stopped; then every request is
    /// answered and every model unloaded.
    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await open()
            await withDiscardingTaskGroup { group in
                group.addTask { await AliasFollower(host: self, logger: self.logger).run() }
                group.addTask {
                    while !Task.isCancelled {
                        await self.tick()
                        try? await Task.sleep(for: self.pulse)
                    }
                }
            }
        }
        await close()
    }

    /// Loads what the database says; endpoints answer as soon as they are loaded.
    package func open() async {
        while !Task.isCancelled {
            do {
                for endpoint in try await store.endpoints() {
                    let controller = makeController(endpoint)
                    await controller.reconcile()
                }
                return
            } catch {
                logger.error("the endpoints could not be read", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Looks at every rollout once.
    package func tick() async {
        for controller in controllers.withLock({ $0.values.map { $0 } }) { await controller.tick() }
    }

    /// Unloads everything, after its requests are answered.
    package func close() async {
        let open = controllers.withLock { controllers in
            defer { controllers.removeAll() }
            return controllers.values.map { $0 }
        }
        for controller in open {
            await controller.keepEvidence()
            await controller.close()
        }
    }

    // MARK: For the API

    func makeController(_ endpoint: Endpoint) -> EndpointController {
        var context = context
        context.onSettled = { [weak self] in self?.clean() }
        let controller = EndpointController(endpoint, context)
        controllers.withLock { $0[endpoint.name] = controller }
        return controller
    }

    func forget(_ name: String) { controllers.withLock { _ = $0.removeValue(forKey: name) } }

    var all: [EndpointController] {
        controllers.withLock { $0.values.sorted { $0.name < $1.name } }
    }

    /// - Throws: ``ServingError`` `RESOURCE_DOES_NOT_EXIST`.
    func controller(_ name: String) throws -> EndpointController {
        guard let controller = controllers.withLock({ $0[name] }) else {
            throw ServingError(.resourceDoesNotExist, "Endpoint '\(name.prefix(200))' does not exist.")
        }
        return controller
    }

    /// Removes copies of models that no endpoint names any more.
    private func clean() {
        let mayBegin = isCleaning.withLock { isCleaning in
            defer { isCleaning = true }
            return !isCleaning
        }
        guard mayBegin else { return }
        Task {
            defer { isCleaning.withLock { $0 = false } }
            // Loads that have just begun note their folders first, and what was unloaded may come back at once.
            try? await Task.sleep(for: .seconds(5))
            guard let kept = try? await store.folders(try await store.endpoints()) else { return }
            await files.clean(keeping: kept)
        }
    }
}
