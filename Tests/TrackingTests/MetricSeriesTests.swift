import ApusDatabase
import ApusKernel
import ApusLedger
import ApusTesting
import Testing
import Tracking

@Suite struct MetricSeriesTests {
    /// Histories that are hard to draw.
    enum Shape: String, CaseIterable, Sendable {
        /// A curve with noise.
        case noisy
        /// Steps go back and forth while time passes.
        case unordered
        /// A pause of a day in the middle, and a burst.
        case uneven
        /// All points stand at one place.
        case one

        static let count = 20_000

        func point(_ index: Int) -> MetricPoint {
            // A fixed sequence that looks random, with values from 0 to 1.
            let noise = Double((index &* 7_919 &+ 104_729) % 10_007) / 10_007
            let value =
                switch index {
                case 4_321: 99.0
                case 12_345: -99.0
                case 7_000: Double.nan
                case 17_000: Double.infinity
                default: noise
                }
            var time = Int64(index) * 100
            var step = Int64(index)
            switch self {
            case .noisy: break
            case .unordered: step = Int64((index * 7) % Self.count)
            case .uneven:
                if index >= 10_000 { time += 86_400_000 }
                if index >= 15_000 { time += Int64(index - 15_000) * 60_000 }
                step = time / 100
            case .one: (time, step) = (5, 5)
            }
            return MetricPoint(key: "m", value: value, timestamp: time, step: step)
        }
    }

    private struct Site: Sendable {
        let fixture: ApusFixture
        let store: TrackingStore
        let run: String
        let row: Int64

        func log(_ points: [MetricPoint]) async throws {
            for start in stride(from: 0, to: points.count, by: 1_000) {
                var batch = LogBatch(runID: run)
                batch.metrics = Array(points[start..<min(start + 1_000, points.count)])
                try await store.log(batch)
            }
        }

        func count(_ table: String) async throws -> Int64 {
            try await fixture.database.read { try $0.first("SELECT COUNT(*) FROM \(table)") { $0.integer(0) } } ?? 0
        }

        func series(
            _ axis: SeriesAxis,
            _ range: ClosedRange<Double>? = nil,
            columns: Int
        ) async throws -> MetricSeries {
            let found = try await store.series(runs: [run], key: "m", axis: axis, range: range, columns: columns)
            return try #require(found.first)
        }
    }

    private func with(_ dialect: Dialect, _ body: @Sendable (Site) async throws -> Void) async throws {
        try await ApusFixture.with(dialect, migrations: TrackingCapability.migrations) { fixture async throws in
            let store = TrackingStore(database: fixture.database, ledger: fixture.ledger, clock: fixture.clock)
            try await store.prepare()
            let run = try await store.createRun(.init(experimentID: "0")).info.id.rawValue
            let row = try await fixture.database.read { try $0.first("SELECT run_id FROM runs") { $0.integer(0) } }
            try await body(Site(fixture: fixture, store: store, run: run, row: row ?? 0))
        }
    }

    /// The places of all points, in the order of the axis.
    private static func places(_ points: [MetricPoint], _ axis: SeriesAxis) -> [M4.Place] {
        let first = points.map(\.timestamp).min() ?? 0
        return points.map { point in
            let x =
                switch axis {
                case .step: Double(point.step)
                case .time: Double(point.timestamp)
                case .relative: Double(point.timestamp - first)
                }
            let value = point.isNaN ? Double.nan : point.value > 1e300 ? .infinity : point.value
            return M4.Place(x: x, value: value)
        }.sorted { $0.x < $1.x }
    }

    @Test(arguments: Shape.allCases, [Dialect.sqlite, .postgres])
    func `a chart has about as many points as pixels, and no spike is lost`(
        _ shape: Shape,
        _ dialect: Dialect
    ) async throws {
        try await with(dialect) { site in
            let points = (0..<Shape.count).map(shape.point)
            try await site.log(Array(points.prefix(18_000)))
            try await site.store.compactor.compact(run: site.row)
            #expect(try await site.count("metric_levels") >= 10)
            // The newest are still in the tail.
            try await site.log(Array(points.dropFirst(18_000)))
            for axis in [SeriesAxis.step, .time, .relative] {
                let all = Self.places(points, axis)
                let known = Set(all.map { "\($0)" })
                let (first, last) = (all[0].x, all[all.count - 1].x)
                let middle = (last - first) * 0.2158
                for range in [nil, first...last, middle...(middle + (last - first) / 50), (middle - 2)...(middle + 3)] {
                    for columns in [1, 37, 300, 4_000] {
                        let series = try await site.series(axis, range, columns: columns)
                        let about = "\(axis) \(range.map { "\($0)" } ?? "all") \(columns)"
                        let shown = range ?? first...last
                        #expect(series.places.count <= 5 * columns + 5 + 2, "\(about)")
                        #expect(series.places.allSatisfy { known.contains("\($0)") }, "\(about)")
                        #expect(zip(series.places, series.places.dropFirst()).allSatisfy { $0.x <= $1.x }, "\(about)")
                        let seen = all.filter { shown.contains($0.x) }
                        // Of NaN and infinity in one column the first is kept.
                        let spikes = columns == 1 ? [99, -99] : [99, -99, Double.infinity]
                        for spike in spikes where seen.contains(where: { $0.value == spike }) {
                            #expect(series.places.contains { $0.value == spike }, "\(about): \(spike)")
                        }
                        expectExtremes(of: seen, in: series.places, shown, columns: columns, about)
                    }
                }
            }
        }
    }

    /// Each column's lowest and highest value is there, or a farther one less than two columns away; the columns at the
    /// edges may share theirs with what is not shown.
    private func expectExtremes(
        of all: [M4.Place],
        in kept: [M4.Place],
        _ shown: ClosedRange<Double>,
        columns: Int,
        _ about: String
    ) {
        let width = (shown.upperBound - shown.lowerBound) / Double(columns)
        guard width > 0, columns > 2 else { return }
        func column(_ place: M4.Place) -> Int { Int((place.x - shown.lowerBound) / width) }
        var low: [Int: Double] = [:]
        var high: [Int: Double] = [:]
        for place in kept where shown.contains(place.x) && place.value.isFinite {
            for near in (column(place) - 2)...(column(place) + 2) {
                low[near] = min(low[near] ?? .infinity, place.value)
                high[near] = max(high[near] ?? -.infinity, place.value)
            }
        }
        let lost = all.filter { place in
            guard place.value.isFinite, (1..<(columns - 1)).contains(column(place)) else { return false }
            let column = column(place)
            return place.value < low[column] ?? .infinity || place.value > high[column] ?? -.infinity
        }
        #expect(lost.isEmpty, "\(about): \(lost.count) of \(all.count), such as \(lost.first.map { "\($0)" } ?? "")")
    }

    @Test func `a chart of all points reads levels alone`() async throws {
        try await with(.sqlite) { site in
            try await site.log((0..<Shape.count).map(Shape.noisy.point))
            try await site.store.compactor.compact(run: site.row)
            let trace = StatementTrace()
            let series = try await StatementTrace.$current.withValue(trace) {
                try await site.series(.step, columns: 100)
            }
            #expect(series.total == Shape.count)
            let sql = trace.statements.map(\.sql)
            #expect(sql.contains { $0.contains("FROM metric_levels") })
            #expect(!sql.contains { $0.contains("SELECT chunk_id, points") }, "\(sql)")
            for statement in trace.statements where statement.sql.contains("metric_") {
                let plan = try await site.fixture.database.read { transaction in
                    try transaction.query("EXPLAIN QUERY PLAN \(statement.sql)", statement.values) { $0.text(3) }
                }
                #expect(!plan.contains { $0.hasPrefix("SCAN metric_") }, "\(statement.sql): \(plan)")
            }
            let index = try #require(trace.statements.first { $0.sql.contains("is_step_ordered") })
            let plan = try await site.fixture.database.read { transaction in
                try transaction.query("EXPLAIN QUERY PLAN \(index.sql)", index.values) { $0.text(3) }
            }
            #expect(plan.contains { $0.contains("COVERING INDEX metric_chunks_by_series") }, "\(plan)")
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `many small chunks become one, with the same history`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            let points = (0..<2_000).map(Shape.noisy.point)
            for start in stride(from: 0, to: points.count, by: 50) {
                try await site.log(Array(points[start..<(start + 50)]))
                try await site.store.compactor.compact(run: site.row)
            }
            // 32 of 40 were merged.
            #expect(try await site.count("metric_chunks") == 9)
            #expect(try await site.count("metric_levels") > 0)
            let history = try await site.store.history(run: site.run, key: "m", limit: 10_000)
            #expect(history == points)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `chunks of an earlier version are drawn, and get their levels`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            let points = (0..<3_000).map(Shape.noisy.point)
            try await site.log(points)
            try await site.store.compactor.compact(run: site.row)
            let new = try await site.series(.step, columns: 2_000)
            try await site.fixture.database.write { transaction in
                try transaction.execute("DELETE FROM metric_levels")
                try transaction.execute("UPDATE metric_chunks SET point_count = 0, min_step = 0, max_step = 0")
            }
            let old = try await site.series(.step, columns: 2_000)
            #expect(old.places.map(\.x) == new.places.map(\.x))
            #expect(old.total == 3_000)
            #expect(try await site.store.compactor.upgradeChunk())
            #expect(try await !site.store.compactor.upgradeChunk())
            #expect(try await site.count("metric_levels") > 0)
            #expect(try await site.store.history(run: site.run, key: "m", limit: 10_000) == points)
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `levels go with their chunks`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            try await site.log((0..<3_000).map(Shape.noisy.point))
            try await site.store.compactor.compact(run: site.row)
            try await site.fixture.database.write { try $0.execute("DELETE FROM metric_chunks") }
            #expect(try await site.count("metric_levels") == 0)
        }
    }

    @Test func `a run with a few points of very many metrics keeps them together`() async throws {
        try await with(.sqlite) { site in
            var batch = LogBatch(runID: site.run)
            batch.metrics = (0..<1_000).map { MetricPoint(key: "m\($0)", value: 1, timestamp: 1, step: 0) }
            for _ in 0..<10 { try await site.store.log(batch) }
            try await site.store.compactor.compact(run: site.row)
            #expect(try await site.count("metric_chunks") == 0)
            #expect(try await site.count("metric_tail") == 10)
        }
    }
}
