import ApusDatabase
import ApusKernel
import ApusLedger
import ApusTesting
import Registry
import Serving
import Synchronization
import Testing
import Tracking

/// A host of endpoints over a fresh database, with models that exist in memory only.
struct EndpointFixture: Sendable {
    let base: ApusFixture
    let store: EndpointStore
    let models: FakeModels
    let host: EndpointHost
    let observer: Observations

    /// What was observed.
    final class Observations: InferenceObserver {
        let all = Mutex<[InferenceObservation]>([])
        func observe(_ observation: InferenceObservation) { all.withLock { $0.append(observation) } }
    }

    static func with(
        _ behaviours: [String: FakeModels.Behaviour],
        _ body: (EndpointFixture) async throws -> Void
    ) async throws {
        try await with(.sqlite, behaviours, body)
    }

    static func with(
        _ dialect: Dialect,
        _ behaviours: [String: FakeModels.Behaviour],
        _ body: (EndpointFixture) async throws -> Void
    ) async throws {
        try await ApusFixture.with(dialect, migrations: ServingCapability.migrations) { base in
            let fixture = EndpointFixture(base: base, models: FakeModels(behaviours))
            do {
                try await body(fixture)
                await fixture.host.close()
            } catch {
                await fixture.host.close()
                throw error
            }
        }
    }

    init(base: ApusFixture, models: FakeModels) {
        self.base = base
        self.models = models
        store = EndpointStore(database: base.database, ledger: base.ledger, clock: base.clock)
        observer = Observations()
        host = EndpointHost(
            store: store,
            versions: models,
            files: models,
            load: models.load,
            observer: observer,
            logger: base.logger
        )
    }

    /// The server again, after it ended somehow.
    func restarted() async -> EndpointFixture {
        let fresh = EndpointFixture(base: base, models: models)
        await fresh.host.open()
        return fresh
    }

    /// Makes an endpoint that serves a version, and waits until it does.
    func serve(_ name: String, version: String) async throws {
        _ = try await host.create(
            name: name,
            spec: EndpointSpec(),
            source: "models:/wine/\(version)",
            actor: "ada",
            reason: "first"
        )
        try await wait(name) { $0.spec.stable != nil }
    }

    /// Deploys a version.
    func deploy(_ name: String, version: String, _ strategy: Strategy) async throws {
        var order = EndpointHost.DeployOrder(source: "models:/wine/\(version)")
        order.strategy = strategy
        _ = try await host.deploy(name, order, actor: "ada", reason: "better")
    }

    /// Waits until an endpoint is as `condition` wants it.
    @discardableResult
    func wait(_ name: String, _ condition: (Endpoint) -> Bool) async throws -> Endpoint {
        for _ in 0..<2_000 {
            let endpoint = try await host.endpoint(name)
            if condition(endpoint) { return endpoint }
            try await Task.sleep(for: .milliseconds(5))
        }
        let endpoint = try await host.endpoint(name)
        Issue.record("endpoint '\(name)' stayed as \(endpoint)")
        return endpoint
    }

    /// Asks an endpoint, and returns the version that answered.
    @discardableResult
    func ask(_ name: String, key: String? = nil, version: String? = nil) async throws -> InferenceResponse {
        let request = InferenceRequest(
            inputs: [try Tensor(name: "x", .fp32, elements: [Float(1)])],
            routingKey: key
        )
        return try await host.servable(name, version: version).infer(request)
    }

    /// The actions that were recorded, with who and why.
    func events() async throws -> [LedgerEvent] {
        try await base.ledger.seal()
        return try await base.ledger.events(after: 0, limit: 1_000).map(\.event)
    }
}
