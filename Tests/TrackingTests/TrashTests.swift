import ApusDatabase
import ApusKernel
import ApusLedger
import ApusTesting
import Testing
import Tracking

@Suite struct TrashTests {
    private func with(_ dialect: Dialect, _ body: (TrackingStore, ApusFixture) async throws -> Void) async throws {
        try await ApusFixture.with(dialect, migrations: TrackingCapability.migrations) { fixture async throws in
            let store = TrackingStore(database: fixture.database, ledger: fixture.ledger, clock: fixture.clock)
            try await store.prepare()
            try await body(store, fixture)
        }
    }

    private func makeRun(_ store: TrackingStore, in experiment: String = "0") async throws -> String {
        let id = try await store.createRun(.init(experimentID: experiment)).info.id.rawValue
        var batch = LogBatch(runID: id)
        batch.metrics = (0..<50).map { MetricPoint(key: "m", value: 1, timestamp: Int64($0), step: Int64($0)) }
        try await store.log(batch)
        return id
    }

    private func count(_ table: String, _ fixture: ApusFixture) async throws -> Int64? {
        try await fixture.database.read { try $0.first("SELECT COUNT(*) FROM \(table)") { $0.integer(0) } }
    }

    @Test(arguments: ApusFixture.dialects)
    func `what was deleted long enough ago goes with its points and nothing else`(_ dialect: Dialect) async throws {
        try await with(dialect) { store, fixture async throws in
            let kept = try await makeRun(store)
            let old = try await makeRun(store)
            let young = try await makeRun(store)
            try await store.moveRun(id: old, to: .deleted)
            fixture.clock.advance(milliseconds: 10_000)
            try await store.moveRun(id: young, to: .deleted)
            let cutoff = fixture.clock.milliseconds - 5_000
            let dry = try await store.emptyTrash(before: cutoff, dryRun: true)
            #expect(dry.runs == 1)
            #expect(try await store.run(id: old).metrics.count == 1)
            let report = try await store.emptyTrash(before: cutoff, dryRun: false)
            #expect(report.runs == 1)
            await #expect(throws: TrackingError.runNotFound(id: old)) { try await store.run(id: old) }
            #expect(try await store.run(id: young).info.stage == .deleted)
            #expect(try await store.history(run: kept, key: "m", limit: 100).count == 50)
            #expect(try await count("metric_tail", fixture) == 2)
            #expect(try await count("latest_metrics", fixture) == 2)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `points whose run is gone are found at the next emptying`(_ dialect: Dialect) async throws {
        try await with(dialect) { store, fixture async throws in
            _ = try await makeRun(store)
            try await fixture.database.write { transaction in
                for table in ["metric_tail (run_id, points)", "metric_tail (run_id, points)"] {
                    try transaction.execute("INSERT INTO \(table) VALUES (999, ?)", [.blob([])])
                }
            }
            _ = try await store.emptyTrash(before: 0, dryRun: false)
            #expect(try await count("metric_tail", fixture) == 1)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a run that moved keeps its inputs when its first experiment goes`(_ dialect: Dialect) async throws {
        try await with(dialect) { store, fixture async throws in
            let first = try await store.createExperiment(name: "first", artifactLocation: "", tags: [])
            let run = try await makeRun(store, in: "\(first)")
            let input = DatasetInput(
                name: "d",
                digest: "1",
                sourceType: "local",
                source: "x",
                schema: nil,
                profile: "p",
                tags: [KeyValue(key: "mlflow.data.context", value: "train")]
            )
            try await store.logInputs(run: run, datasets: [input], models: [])
            try await store.moveRuns(ids: [run], toExperiment: "0")
            #expect(try await store.run(id: run).datasets == [input])
            try await store.moveExperiment(id: "\(first)", to: .deleted)
            fixture.clock.advance(milliseconds: 10)
            let report = try await store.emptyTrash(before: fixture.clock.milliseconds, dryRun: false)
            #expect(report.experiments == 1)
            #expect(report.runs == 0)
            #expect(try await store.run(id: run).datasets == [input])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `keys that only look alike are two metrics`(_ dialect: Dialect) async throws {
        try await with(dialect) { store, _ async throws in
            let run = try await store.createRun(.init(experimentID: "0")).info.id.rawValue
            for key in ["\u{212A}L", "KL", "\u{E9}"] {
                var batch = LogBatch(runID: run)
                batch.metrics = [MetricPoint(key: key, value: 1, timestamp: 0, step: 0)]
                try await store.log(batch)
            }
            let keys = try await store.run(id: run).metrics.map { Array($0.key.utf8) }
            #expect(Set(keys).count == 3)
            #expect(try await store.history(run: run, key: "KL", limit: 10).count == 1)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `points that are there twice do not cut a history short`(_ dialect: Dialect) async throws {
        try await with(dialect) { store, fixture async throws in
            let run = try await store.createRun(.init(experimentID: "0")).info.id.rawValue
            let key = try await fixture.database.read { try $0.first("SELECT run_id FROM runs") { $0.integer(0) } } ?? 0
            func log(_ times: Range<Int>) async throws {
                var batch = LogBatch(runID: run)
                batch.metrics = times.map { MetricPoint(key: "m", value: 1, timestamp: Int64($0), step: 0) }
                try await store.log(batch)
            }
            try await log(100..<356)
            try await store.compactor.compact(run: key)
            for _ in 0..<3 { try await log(0..<10) }
            #expect(try await store.history(run: run, key: "m", limit: 15).count == 15)
            #expect(try await store.history(run: run, key: "m", limit: 1_000).count == 266)
        }
    }
}
