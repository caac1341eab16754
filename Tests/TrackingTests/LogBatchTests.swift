import ApusDatabase
import ApusKernel
import ApusLedger
import ApusTesting
import Testing
import Tracking

@Suite struct LogBatchTests {
    private func with(_ dialect: Dialect, _ body: (TrackingStore, String) async throws -> Void) async throws {
        try await ApusFixture.with(dialect, migrations: TrackingCapability.migrations) { fixture async throws in
            let store = TrackingStore(database: fixture.database, ledger: fixture.ledger, clock: fixture.clock)
            try await store.prepare()
            let run = try await store.createRun(.init(experimentID: "0"))
            try await body(store, run.info.id.rawValue)
        }
    }

    private func log(_ store: TrackingStore, _ run: String, _ points: [(step: Int64, time: Int64, value: Double)])
        async throws
    {
        var batch = LogBatch(runID: run)
        batch.metrics = points.map { MetricPoint(key: "m", value: $0.value, timestamp: $0.time, step: $0.step) }
        try await store.log(batch)
    }

    @Test(arguments: ApusFixture.dialects)
    func `two values logged at one step are both kept and an equal point is stored once`(_ dialect: Dialect)
        async throws
    {
        try await with(dialect) { store, run async throws in
            try await log(store, run, [(0, 5, 1), (0, 5, 2), (0, 5, 1)])
            try await log(store, run, [(0, 5, 2)])
            let history = try await store.history(run: run, key: "m", limit: 10)
            #expect(history.map(\.value) == [1, 2])
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `the latest point is the greatest of step, time and value`(_ dialect: Dialect) async throws {
        try await with(dialect) { store, run async throws in
            func latest() async throws -> Double? { try await store.run(id: run).metrics.first?.shownValue }
            try await log(store, run, [(3, 1, 10), (2, 9, 20)])
            #expect(try await latest() == 10)
            try await log(store, run, [(3, 0, 99)])
            #expect(try await latest() == 10)
            try await log(store, run, [(3, 1, 11)])
            #expect(try await latest() == 11)
            try await log(store, run, [(3, 2, .nan)])
            #expect(try await latest()?.isNaN == true)
            try await log(store, run, [(-5, 100, 1)])
            #expect(try await latest()?.isNaN == true)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a param that changes undoes the whole batch`(_ dialect: Dialect) async throws {
        try await with(dialect) { store, run async throws in
            try await store.logParam(run: run, KeyValue(key: "p", value: "1"))
            try await store.logParam(run: run, KeyValue(key: "p", value: "1"))
            var batch = LogBatch(runID: run)
            batch.params = [KeyValue(key: "new", value: "x"), KeyValue(key: "p", value: "9")]
            batch.metrics = [MetricPoint(key: "m", value: 1, timestamp: 0, step: 0)]
            batch.tags = [KeyValue(key: "t", value: "1")]
            let error = await #expect(throws: TrackingError.self) { try await store.log(batch) }
            #expect(
                error?.message
                    == "Changing param values is not allowed. Params were already logged='[{'key': 'p', 'old_value': '1', "
                    + "'new_value': '9'}]' for run ID='\(run)'."
            )
            let found = try await store.run(id: run)
            #expect(found.params == [KeyValue(key: "p", value: "1")])
            #expect(found.metrics.isEmpty)
            #expect(!found.tags.contains { $0.key == "t" })
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `writers of one run at once lose nothing`(_ dialect: Dialect) async throws {
        try await with(dialect) { store, run async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<16 {
                    group.addTask {
                        for step in 0..<10 {
                            try await log(store, run, [(Int64(step), Int64(writer), Double(writer))])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.history(run: run, key: "m", limit: 1_000).count == 160)
            #expect(try await store.run(id: run).metrics.first?.value == 15)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a history is read in pieces without a gap or a repeat`(_ dialect: Dialect) async throws {
        try await with(dialect) { store, run async throws in
            try await log(
                store,
                run,
                (0..<500).map { (number: Int) -> (step: Int64, time: Int64, value: Double) in
                    (Int64(number % 7), Int64(number / 10), Double(number % 13))
                }
            )
            let whole = try await store.history(run: run, key: "m", limit: 1_000)
            var pieces: [MetricPoint] = []
            while true {
                let token = pieces.last.map { HistoryPosition(of: $0).token } ?? ""
                let piece = try await store.history(run: run, key: "m", after: HistoryPosition(token: token), limit: 7)
                if piece.isEmpty { break }
                pieces += piece
            }
            #expect(pieces == whole)
            #expect(!whole.isEmpty)
        }
    }

    @Test(arguments: [
        "a//b", "./a", "a/", "../a", "/a", "a/../b", ".", "..", "a\nb", "a#b", "a\u{0}", "é\u{301}!", "",
    ])
    func `names that could be other files are refused`(_ name: String) async throws {
        var batch = LogBatch(runID: String(repeating: "a", count: 32))
        batch.metrics = [MetricPoint(key: name, value: 1, timestamp: 0, step: 0)]
        #expect(throws: RequestError.self) { try batch.validate() }
    }

    @Test(arguments: ["a", "a/b c", "größe", "x.y-z:1_2", "日本"])
    func `names with letters of any script are fine`(_ name: String) throws {
        var batch = LogBatch(runID: String(repeating: "a", count: 32))
        batch.metrics = [MetricPoint(key: name, value: 1, timestamp: 0, step: 0)]
        try batch.validate()
    }
}
