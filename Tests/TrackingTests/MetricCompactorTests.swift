import ApusDatabase
import ApusKernel
import ApusLedger
import ApusTesting
import Testing
import Tracking

@Suite struct MetricCompactorTests {
    /// Logs the same points twice over in several requests, and gives what a history must be.
    private func fill(_ store: TrackingStore, _ run: String, keys: Int, requests: Int) async throws -> [String:
        [MetricPoint]]
    {
        var expected: [String: [MetricPoint]] = [:]
        for request in 0..<requests {
            var batch = LogBatch(runID: run)
            for key in 0..<keys {
                let value = Double((request * 7 + key) % 5)
                // Times go back and forth, so that chunks overlap.
                let time = Int64((request * 37) % 50)
                let point = MetricPoint(
                    key: "m\(key)",
                    value: request % 11 == 0 ? .nan : value,
                    timestamp: time,
                    step: Int64(request)
                )
                batch.metrics += [point, point]
                expected["m\(key)", default: []].append(point)
            }
            try await store.log(batch)
        }
        return expected.mapValues { points in
            points.sorted { ($0.timestamp, $0.step, $0.value) < ($1.timestamp, $1.step, $1.value) }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a history is the same before, between and after compactions`(_ dialect: Dialect) async throws {
        try await ApusFixture.with(dialect, migrations: TrackingCapability.migrations) { fixture async throws in
            let store = TrackingStore(database: fixture.database, ledger: fixture.ledger, clock: fixture.clock)
            try await store.prepare()
            let run = try await store.createRun(.init(experimentID: "0")).info.id.rawValue
            let rowID =
                try await fixture.database.read { try $0.first("SELECT run_id FROM runs") { $0.integer(0) } } ?? 0
            var all = try await fill(store, run, keys: 3, requests: 40)
            for round in 0..<3 {
                for key in all.keys.sorted() {
                    let history = try await store.history(run: run, key: key, limit: 10_000)
                    #expect(history == all[key], "round \(round)")
                    var pieces: [MetricPoint] = []
                    while true {
                        let token = pieces.last.map { HistoryPosition(of: $0).token } ?? ""
                        let piece = try await store.history(
                            run: run,
                            key: key,
                            after: HistoryPosition(token: token),
                            limit: 7
                        )
                        pieces += piece
                        if piece.isEmpty { break }
                    }
                    #expect(pieces == all[key], "round \(round)")
                }
                try await store.compactor.compact(run: rowID)
                if round == 1 {
                    // The same points again, and one that is new: nothing doubles.
                    let again = try await fill(store, run, keys: 3, requests: 40)
                    #expect(again == all)
                    all = again
                }
            }
            let left = try await fixture.database.read { transaction in
                try transaction.first("SELECT COUNT(*) FROM metric_tail") { $0.integer(0) }
            }
            #expect(left == 0)
        }
    }

    @Test(arguments: [1, 2, 3, 9, 10, 11, 100])
    func `a sample has the first of each group and the very last point`(_ count: Int) async throws {
        try await ApusFixture.with(migrations: TrackingCapability.migrations) { fixture async throws in
            let store = TrackingStore(database: fixture.database, ledger: fixture.ledger, clock: fixture.clock)
            try await store.prepare()
            let run = try await store.createRun(.init(experimentID: "0")).info.id.rawValue
            var batch = LogBatch(runID: run)
            batch.metrics = (0..<count).map { MetricPoint(key: "m", value: 1, timestamp: 5, step: Int64($0)) }
            try await store.log(batch)
            let sample = try await store.sampledHistories(runs: [run], key: "m", steps: nil, limit: 10)
            #expect(sample.count == min(count, 10))
            #expect(sample.first?.1.step == 0)
            #expect(sample.last?.1.step == Int64(count - 1))
            let steps = sample.map(\.1.step)
            #expect(steps == steps.sorted())
            let some = try await store.sampledHistories(runs: [run], key: "m", steps: 2...4, limit: 10)
            #expect(some.map(\.1.step) == Array(Int64(2)..<Int64(max(2, min(5, count)))))
        }
    }
}
