import ApusDatabase
import ApusKernel
import ApusLedger
import ApusTesting
import Testing
import Tracking

@Suite struct RunSearchTests {
    private func with(_ dialect: Dialect = .sqlite, _ body: (TrackingStore, ApusFixture) async throws -> Void)
        async throws
    {
        try await ApusFixture.with(dialect, migrations: TrackingCapability.migrations) { fixture async throws in
            let store = TrackingStore(database: fixture.database, ledger: fixture.ledger, clock: fixture.clock)
            try await store.prepare()
            try await body(store, fixture)
        }
    }

    /// Six runs: a rising metric, one NaN, one without it.
    private func fill(_ store: TrackingStore, experiment: String = "0") async throws -> [String] {
        var ids: [String] = []
        for number in 0..<6 {
            let run = try await store.createRun(
                .init(experimentID: experiment, name: "run \(number)", startTime: Int64(1_000 + number))
            )
            var batch = LogBatch(runID: run.info.id.rawValue)
            if number < 4 {
                batch.metrics = [MetricPoint(key: "acc", value: Double(number) / 10, timestamp: 1, step: 0)]
            }
            if number == 4 { batch.metrics = [MetricPoint(key: "acc", value: .nan, timestamp: 1, step: 0)] }
            batch.params = [KeyValue(key: "kind", value: number % 2 == 0 ? "even" : "odd")]
            try await store.log(batch)
            ids.append(run.info.name)
        }
        return ids
    }

    private func names(_ store: TrackingStore, _ filter: String = "", _ order: [String] = [], limit: Int64 = 100)
        async throws -> [String]
    {
        var token = ""
        var names: [String] = []
        repeat {
            let page = try await store.searchRuns(
                RunSearch(experimentIDs: ["0"], filter: filter, orderBy: order, limit: limit, pageToken: token)
            )
            names += page.items.map(\.info.name)
            token = page.nextToken ?? ""
        } while !token.isEmpty
        return names
    }

    @Test(arguments: ApusFixture.dialects)
    func `values come first, then NaN, then runs without the metric, in both directions`(_ dialect: Dialect)
        async throws
    {
        try await with(dialect) { store, _ async throws in
            _ = try await fill(store)
            let up = ["run 0", "run 1", "run 2", "run 3", "run 4", "run 5"]
            let down = ["run 3", "run 2", "run 1", "run 0", "run 4", "run 5"]
            for limit: Int64 in [1, 2, 3, 4, 5, 100] {
                #expect(try await names(store, "", ["metrics.acc ASC"], limit: limit) == up)
                #expect(try await names(store, "", ["metrics.acc DESC"], limit: limit) == down)
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `filters mean the same on every plan`(_ dialect: Dialect) async throws {
        try await with(dialect) { store, _ async throws in
            _ = try await fill(store)
            #expect(try await names(store, "metrics.acc > 0.05", ["metrics.acc DESC"]) == ["run 3", "run 2", "run 1"])
            #expect(try await names(store, "metrics.acc > 0.05") == ["run 3", "run 2", "run 1"])
            #expect(
                try await names(store, "metrics.acc != 0.1", ["metrics.acc ASC"]) == [
                    "run 0", "run 2", "run 3", "run 4",
                ]
            )
            #expect(try await names(store, "metrics.acc >= 0.1 AND params.kind = 'odd'") == ["run 3", "run 1"])
            #expect(
                try await names(store, "params.kind = 'even' OR metrics.acc = 0.3") == [
                    "run 4", "run 3", "run 2", "run 0",
                ]
            )
            #expect(
                try await names(store, "(params.kind = 'even' OR metrics.acc = 0.3) AND start_time < 1003") == [
                    "run 2", "run 0",
                ]
            )
            #expect(
                try await names(store, "run_name LIKE 'run%' AND metrics.acc < 0.2", ["params.kind ASC"]) == [
                    "run 0", "run 1",
                ]
            )
            #expect(try await names(store, "tags.`mlflow.runName` ILIKE 'RUN 2'") == ["run 2"])
            #expect(try await names(store, "params.nothing IS NULL", ["start_time ASC"], limit: 4).count == 6)
        }
    }

    @Test func `a search ordered by a metric reads that metric's index and sorts nothing but ties`() async throws {
        try await with { store, fixture async throws in
            _ = try await fill(store)
            let trace = StatementTrace()
            _ = try await StatementTrace.$current.withValue(trace) {
                try await store.searchRuns(
                    RunSearch(
                        experimentIDs: ["0"],
                        filter: "metrics.acc > 0.05",
                        orderBy: ["metrics.acc DESC"],
                        limit: 5
                    )
                )
            }
            #expect(trace.statements.count == 1)
            let statement = try #require(trace.statements.first)
            let plan = try await fixture.database.read { transaction in
                try transaction.query("EXPLAIN QUERY PLAN \(statement.sql)", statement.values) { $0.text(3) }
            }
            #expect(plan.contains { $0.contains("SEARCH s USING COVERING INDEX latest_metrics_by_value") }, "\(plan)")
            #expect(!plan.contains { $0 == "USE TEMP B-TREE FOR ORDER BY" }, "\(plan)")
        }
    }

    @Test func `a page takes the same number of statements whatever its size`() async throws {
        try await with { store, _ async throws in
            for _ in 0..<5 { _ = try await fill(store) }
            var counts: [Int] = []
            for limit: Int64 in [1, 7, 30] {
                let trace = StatementTrace()
                try await StatementTrace.$current.withValue(trace) {
                    let page = try await store.searchRuns(RunSearch(experimentIDs: ["0"], limit: limit))
                    #expect(try await store.complete(page.items).count == Int(limit))
                }
                counts.append(trace.statements.count)
            }
            #expect(Set(counts).count == 1, "\(counts)")
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a run that moves takes its metrics along`(_ dialect: Dialect) async throws {
        try await with(dialect) { store, _ async throws in
            _ = try await fill(store)
            let other = try await store.createExperiment(name: "other", artifactLocation: "", tags: [])
            let run = try await store.searchRuns(RunSearch(experimentIDs: ["0"], filter: "metrics.acc = 0.2"))
            let id = try #require(run.items.first?.info.id.rawValue)
            try await store.moveRuns(ids: [id], toExperiment: "\(other)")
            #expect(try await names(store, "metrics.acc > 0", ["metrics.acc ASC"]) == ["run 1", "run 3"])
            let found = try await store.searchRuns(
                RunSearch(experimentIDs: ["\(other)"], filter: "metrics.acc > 0", orderBy: ["metrics.acc ASC"])
            )
            #expect(found.items.map(\.info.id.rawValue) == [id])
        }
    }
}
