import ApusDatabase
import ApusKernel
import ApusQuery
import ApusTesting
import Tracking

/// A tracking store with one run, for tests of logged models.
struct LoggedModelFixture: Sendable {
    let store: TrackingStore
    let base: ApusFixture
    let run: String

    static func with(
        _ dialect: Dialect = .sqlite,
        _ body: (LoggedModelFixture) async throws -> Void
    ) async throws {
        try await ApusFixture.with(dialect, migrations: TrackingCapability.migrations) { base async throws in
            let store = TrackingStore(database: base.database, ledger: base.ledger, clock: base.clock)
            try await store.prepare()
            let run = try await store.createRun(.init(experimentID: "0"))
            try await body(LoggedModelFixture(store: store, base: base, run: run.info.id.rawValue))
        }
    }

    /// Makes a model and moves the clock on, so that no two have the same time.
    @discardableResult
    func make(_ name: String, params: [KeyValue] = [], tags: [KeyValue] = []) async throws -> String {
        base.clock.advance(milliseconds: 10)
        return try await store.createLoggedModel(
            .init(experimentID: "0", name: name, sourceRunID: run, params: params, tags: tags)
        ).info.id.rawValue
    }

    /// Logs one point of the metric `acc`.
    func measure(
        _ model: String,
        _ value: Double,
        step: Int64 = 0,
        time: Int64 = 1,
        key: String = "acc",
        dataset: String? = nil,
        digest: String? = nil
    ) async throws {
        var batch = LogBatch(runID: run)
        let reference = MetricPoint.ModelReference(to: model, dataset: dataset, digest: digest)
        batch.metrics = [MetricPoint(key: key, value: value, timestamp: time, step: step, model: reference)]
        try await store.log(batch)
    }

    /// The actions that the Ledger holds about logged models, in order.
    func actions() async throws -> [String] {
        try await base.database.read { transaction in
            try transaction.query(
                "SELECT action FROM ledger_events WHERE action LIKE 'logged_model.%' ORDER BY event_id"
            ) { $0.text(0) }
        }
    }

    /// The names of all models that a search finds, page by page.
    func names(
        _ filter: String = "",
        datasets: [LoggedModelSearch.Dataset] = [],
        order: [OrderRequest] = [],
        limit: Int64 = 100
    ) async throws -> [String] {
        var token = ""
        var names: [String] = []
        repeat {
            let page = try await store.searchLoggedModels(
                LoggedModelSearch(
                    experimentIDs: ["0"],
                    filter: filter,
                    datasets: datasets,
                    orderBy: order,
                    limit: limit,
                    pageToken: token
                )
            )
            names += page.items.map(\.info.name)
            token = page.nextToken ?? ""
        } while !token.isEmpty
        return names
    }
}
