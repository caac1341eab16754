import ApusKernel
import Logging
import Synchronization

/// Owns one endpoint: its state, the models that are loaded for it, and who answers.
///
/// Changes are made one after the other; each is in the database before anything follows from it. What is loaded then
/// follows the state: models that it names are loaded beside the requests, and those that it names no more are drained.
actor EndpointController {
    /// What all controllers share.
    struct Context: Sendable {
        let store: EndpointStore
        let files: any ModelFiles
        let load: ModelLoading
        let clock: any WallClock
        let observer: (any InferenceObserver)?
        let logger: Logger
        /// Is called when an endpoint has settled, so that what is of no more use can be removed.
        var onSettled: @Sendable () -> Void = {}
    }

    nonisolated let name: String
    nonisolated let servable: EndpointServable
    private nonisolated let seen = Mutex<[ModelListing]>([])
    let context: Context
    var endpoint: Endpoint
    var loaded: [Int64: LoadedDeployment] = [:]
    var loading: Set<Int64> = []
    /// Why deployments could not be loaded, and when another try is due, in milliseconds since 1970.
    var failures: [Int64: (reason: String, retry: Int64)] = [:]
    var tests: RolloutTests?
    var mirror: ShadowMirror?
    /// How many models are being drained.
    var draining = 0
    private var isClosed = false
    private var lastKept: Int64 = 0
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// How long a failed load of something that must be there waits for another try.
    private static let retryMilliseconds: Int64 = 30_000
    private static let keepMilliseconds: Int64 = 2_000

    init(_ endpoint: Endpoint, _ context: Context) {
        self.endpoint = endpoint
        self.context = context
        name = endpoint.name
        servable = EndpointServable(name: endpoint.name, clock: context.clock, observer: context.observer)
    }

    /// What is loaded, and what is not; may be asked by anyone at any time.
    nonisolated var listings: [ModelListing] { seen.withLock { $0 } }

    var now: Int64 { context.clock.milliseconds }

    // MARK: One change after the other

    /// Runs `body` while no other change is under way.
    func exclusively<T: Sendable>(_ body: (isolated EndpointController) async throws -> T) async rethrows -> T {
        if isBusy {
            await withCheckedContinuation { waiting.append($0) }
        } else {
            isBusy = true
        }
        defer {
            if waiting.isEmpty { isBusy = false } else { waiting.removeFirst().resume() }
        }
        return try await body(self)
    }

    /// Stores a change, then lets what is loaded follow.
    func commit(
        _ change: EndpointChange,
        adding new: NewDeployment? = nil,
        _ edit: @escaping @Sendable (inout Endpoint, Deployment?) -> Void
    ) async throws {
        endpoint = try await context.store.change(endpoint, adding: new, change, edit)
        context.logger.notice(
            "an endpoint changed",
            metadata: ["endpoint": "\(name)", "change": "\(change.action)", "reason": "\(change.reason)"]
        )
        reconcile()
        if change.isSettled { context.onSettled() }
    }

    // MARK: What is loaded follows the state

    /// Loads what is wanted, puts the present table in place, and drains what is of no more use.
    func reconcile() {
        let wanted = endpoint.wanted
        for number in wanted.sorted() where loaded[number] == nil && !loading.contains(number) {
            if let failure = failures[number], failure.retry > now { continue }
            guard let deployment = endpoint.deployments[number] else { continue }
            load(deployment)
        }
        failures = failures.filter { wanted.contains($0.key) }
        prepareRollout()
        if endpoint.isDeleted {
            servable.install(nil)
        } else if let table = table() {
            servable.install(table)
        }
        scaleInstances()
        let inUse = Set((servable.current?.all ?? []).map(\.deployment.number))
        for (number, model) in loaded where !wanted.contains(number) && !inUse.contains(number) {
            loaded[number] = nil
            drain(model)
        }
        publish()
    }

    /// The table that the state asks for; nil while what it needs is not loaded.
    private func table() -> TrafficTable? {
        guard let number = endpoint.spec.stable, let stable = loaded[number] else { return nil }
        let wanted = endpoint.wanted
        let others = loaded.filter { $0.key != number && wanted.contains($0.key) }
            .sorted { $0.key > $1.key }.map(\.value)
        guard let rollout = endpoint.rollout, rollout.phase == .running, rollout.strategy.kind != .shadow else {
            return TrafficTable(arms: [stable], standby: others, mirror: mirror)
        }
        let candidates = rollout.candidates.compactMap { candidate in
            loaded[candidate.deployment].map { (arm: $0, share: candidate.share) }
        }
        guard !candidates.isEmpty else { return TrafficTable(arms: [stable], standby: others) }
        return TrafficTable(
            arms: [stable] + candidates.map(\.arm),
            standby: others.filter { other in !candidates.contains { $0.arm === other } },
            // The same deal for as long as the rollout takes, and another one for the next.
            policy: WeightedArms(shares: candidates.map(\.share), salt: "\(name)/\(rollout.began)"),
            tests: tests
        )
    }

    private func prepareRollout() {
        guard let rollout = endpoint.rollout, rollout.phase == .running, let candidate = rollout.candidates.first else {
            tests = nil
            mirror?.end()
            mirror = nil
            return
        }
        if rollout.strategy.isGuarded, tests == nil {
            tests = RolloutTests(rollout.evidence, guards: rollout.strategy.guards)
        }
        guard rollout.strategy.kind == .shadow, mirror == nil, let model = loaded[candidate.deployment] else { return }
        model.enter()
        mirror = ShadowMirror(
            candidate: model,
            share: rollout.strategy.percent / 100,
            summary: rollout.evidence.shadow ?? ShadowSummary(),
            endpoint: name,
            observer: context.observer
        )
    }

    private func load(_ deployment: Deployment) {
        guard !isClosed else { return }
        loading.insert(deployment.number)
        let (context, id, name) = (context, endpoint.id, name)
        Task {
            do {
                let known = try await context.store.folder(of: deployment.number, endpoint: id)
                let folder = try await context.files.folder(of: deployment.location, known: known)
                if folder.name != known {
                    try await context.store.setFolder(folder.name, of: deployment.number, endpoint: id)
                }
                let model = try await context.load(folder.path, deployment, name)
                await self.didLoad(LoadedDeployment(deployment, model: model))
            } catch {
                await self.didFail(deployment, error)
            }
        }
    }

    private func didLoad(_ model: LoadedDeployment) async {
        let number = model.deployment.number
        loading.remove(number)
        failures[number] = nil
        guard endpoint.wanted.contains(number), !isClosed else {
            drain(model)
            return publish()
        }
        if let summary = endpoint.rollout?.evidence.arms[number] { model.restart(summary) }
        loaded[number] = model
        reconcile()
        await tick()
    }

    private func didFail(_ deployment: Deployment, _ error: any Error) async {
        loading.remove(deployment.number)
        let reason = (error as? any PublicError)?.message ?? "it failed for an unforeseen reason; see the server's log"
        context.logger.error(
            "a model could not be loaded",
            metadata: ["endpoint": "\(name)", "source": "\(deployment.source)", "error": "\(error)"]
        )
        failures[deployment.number] = (reason, now + Self.retryMilliseconds)
        publish()
        await tick()
    }

    private func drain(_ model: LoadedDeployment) {
        draining += 1
        Task {
            await model.drain()
            self.draining -= 1
            self.publish()
        }
    }

    /// While a rolling rollout is under way, instances move from the old version to the new one.
    private func scaleInstances() {
        guard let stable = endpoint.spec.stable.flatMap({ loaded[$0] }) else { return }
        guard let rollout = endpoint.rollout, rollout.strategy.kind == .rolling, rollout.phase == .running,
            let candidate = rollout.candidates.first.flatMap({ loaded[$0.deployment] })
        else {
            stable.scale(to: stable.fullCount)
            return
        }
        let moved = rollout.step + 1
        candidate.scale(to: max(1, moved))
        stable.scale(to: max(1, stable.fullCount - moved))
    }

    private func publish() {
        let table = servable.current
        var list: [ModelListing] = (table?.all ?? []).map {
            ModelListing(name: name, version: $0.deployment.version, state: .ready)
        }
        for number in endpoint.wanted.sorted()
        where !(table?.all ?? []).contains(where: { $0.deployment.number == number }) {
            guard let deployment = endpoint.deployments[number] else { continue }
            let failure = failures[number]
            list.append(
                ModelListing(
                    name: name,
                    version: deployment.version,
                    state: failure == nil ? .loading : .unavailable,
                    reason: failure?.reason ?? ""
                )
            )
        }
        if list.isEmpty, !endpoint.isDeleted {
            let reason = endpoint.lastRollout?.outcome ?? "no version was deployed yet"
            list.append(ModelListing(name: name, version: "", state: .unavailable, reason: reason))
        }
        let complete = list
        seen.withLock { $0 = complete }
    }

    // MARK: Time passes

    /// Moves the rollout on if its time has come, and tries again what failed to load.
    func tick() async {
        await exclusively { controller in
            do {
                try await controller.advance()
            } catch {
                controller.context.logger.error(
                    "a rollout could not go on",
                    metadata: ["endpoint": "\(controller.name)", "error": "\(error)"]
                )
            }
        }
    }

    private func advance() async throws {
        if failures.contains(where: { $0.value.retry <= now }) { reconcile() }
        guard var rollout = endpoint.rollout, let candidate = rollout.candidates.first else { return }
        gather(&rollout)
        endpoint.rollout = rollout
        let numbers = rollout.candidates.map(\.deployment)
        let decision = RolloutMachine.decide(
            rollout,
            RolloutMachine.Situation(
                now: now,
                isLoaded: numbers.allSatisfy { loaded[$0] != nil },
                failure: numbers.lazy.compactMap { self.failures[$0]?.reason }.first,
                alarm: rollout.stable.flatMap {
                    RolloutVerdict.alarm(
                        rollout.evidence,
                        candidate: candidate.deployment,
                        stable: $0,
                        guards: rollout.strategy.guards
                    )
                },
                candidateRequests: rollout.evidence.arms[candidate.deployment]?.requests ?? 0
            )
        )
        try await act(on: decision, rollout)
    }

    /// Writes what was seen so far into the rollout.
    func gather(_ rollout: inout Rollout) {
        guard rollout.phase == .running || rollout.phase == .ready else { return }
        for number in rollout.candidates.map(\.deployment) + (rollout.stable.map { [$0] } ?? []) {
            if let model = loaded[number] { rollout.evidence.arms[number] = model.statistics }
        }
        if let tests, let stable = rollout.stable.flatMap({ rollout.evidence.arms[$0] }) {
            tests.setThreshold(RolloutVerdict.slowThreshold(stable, rollout.strategy.guards))
            tests.write(to: &rollout.evidence)
        }
        if let mirror { rollout.evidence.shadow = mirror.counts }
    }

    private func act(on decision: RolloutMachine.Decision, _ rollout: Rollout) async throws {
        switch decision {
        case .stay:
            guard now - lastKept >= Self.keepMilliseconds else { return }
            lastKept = now
            try await context.store.keep(rollout, of: endpoint)
        case .run: try await run(rollout)
        case .wait:
            try await commit(EndpointChange(.ready, actor: EndpointChange.system, reason: "It is loaded.")) {
                [now] endpoint, _ in
                endpoint.rollout?.phase = .ready
                endpoint.rollout?.stepBegan = now
            }
        case .step(let step): try await move(to: step, rollout)
        case .promote(let reason):
            guard let candidate = rollout.candidates.first?.deployment else { return }
            try await settle(on: candidate, rollout, actor: EndpointChange.system, reason: reason)
        case .abort(let reason):
            try await endRollout(rollout, actor: EndpointChange.system, reason: reason)
        }
    }

    private func run(_ rollout: Rollout) async throws {
        var next = rollout
        let instances = rollout.stable.flatMap { loaded[$0]?.fullCount } ?? 1
        next.shares = RolloutMachine.shares(rollout.strategy, instances: instances)
        next.phase = .running
        if let share = next.shares.first {
            next.candidates[0].share = share
        }
        next.evidence = Evidence()
        // Both begin anew, so that they are compared by the same time.
        for number in next.candidates.map(\.deployment) + (next.stable.map { [$0] } ?? []) { loaded[number]?.restart() }
        try await move(next, reason: "The new version is loaded.")
    }

    private func move(to step: Int, _ rollout: Rollout) async throws {
        guard rollout.shares.indices.contains(step), !rollout.candidates.isEmpty else { return }
        var next = rollout
        next.step = step
        next.candidates[0].share = rollout.shares[step]
        try await move(next, reason: "Step \(step) passed.")
    }

    private func move(_ rollout: Rollout, reason: String) async throws {
        var next = rollout
        next.stepBegan = now
        next.requestsBefore = next.candidates.first.flatMap { next.evidence.arms[$0.deployment]?.requests } ?? 0
        try await commit(EndpointChange(.step, actor: EndpointChange.system, reason: reason)) { [next] endpoint, _ in
            endpoint.rollout = next
        }
    }

    // MARK: The end

    /// Keeps what a rollout has shown, for a server that stops.
    func keepEvidence() async {
        await exclusively { controller in
            guard var rollout = controller.endpoint.rollout else { return }
            controller.gather(&rollout)
            try? await controller.context.store.keep(rollout, of: controller.endpoint)
        }
    }

    /// Answers no more, and unloads everything after its requests are answered.
    func close() async {
        isClosed = true
        servable.install(nil)
        mirror?.end()
        mirror = nil
        let models = loaded.values
        loaded = [:]
        for model in models { await model.drain() }
        while draining > 0 { try? await Task.sleep(for: .milliseconds(5)) }
    }
}
