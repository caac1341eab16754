import ApusTable
import Datasets
import Testing

@Suite struct `Checks of profiles` {
    /// A table whose values come from a seed.
    private func table(rows: Int, seed: UInt64) -> SampleTable {
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        func column(_ value: () -> TableValue) -> [TableValue] {
            (0..<rows).map { _ in next(10) == 0 ? .null : value() }
        }
        return SampleTable(columns: [
            ("small", .integer, column { .integer(Int64(next(6))) }),
            ("wide", .integer, column { .integer(Int64(next(1_000_000))) }),
            ("real", .number, column { next(50) == 0 ? .number(.nan) : .number(Double(next(1_000_000)) / 1e4) }),
            ("word", .text, column { .text(["alpha", "beta", "gamma", "Ω"][next(4)]) }),
            ("key", .text, (0..<rows).map { .text("k\($0)") }),
        ])
    }

    /// Checks with bounds near and far from what the table has.
    private var checks: [Check] {
        var checks: [Check] = []
        for name in ["small", "wide", "real"] {
            for bounds in [
                ValueBounds(.integer(0), .integer(5)), ValueBounds(.integer(0), .integer(2_000_000)),
                ValueBounds(.integer(-9), .integer(-1)),
                ValueBounds(.number(49.9), .number(50.1)), ValueBounds(.integer(2), .integer(3)),
                ValueBounds(.integer(490_000), .integer(510_000)),
            ] {
                checks.append(Check(.values(column: name, .between(bounds))))
                for statistic in ColumnStatistic.allCases {
                    checks.append(Check(.statistic(column: name, statistic, bounds)))
                }
                let parts = [0.1, 0.5, 0.9].map { QuantileBounds(part: $0, bounds: bounds) }
                checks.append(Check(.quantiles(column: name, [parts[1]], .nearest)))
                checks.append(Check(.quantiles(column: name, parts, .linear)))
            }
        }
        for name in ["small", "wide", "real", "word", "key"] {
            checks += [
                Check(.values(column: name, .notNull)), Check(.values(column: name, .notNull), mostly: 0.85),
                Check(.values(column: name, .null)), Check(.values(column: name, .unique)),
                Check(.statistic(column: name, .distinctCount, ValueBounds(.integer(4), .integer(6)))),
                Check(.statistic(column: name, .uniqueShare, ValueBounds(.number(0.5)))),
                Check(.statistic(column: name, .nullShare, ValueBounds(nil, .number(0.1)))),
                Check(
                    .values(column: name, .inSet((0...5).map { .integer($0) } + [.text("alpha"), .text("beta")])),
                    mostly: 0.4
                ),
                Check(.values(column: name, .notInSet([.integer(7), .text("delta"), .number(3)]))),
                Check(.distinct(column: name, .within, ["alpha", "beta", "gamma", "Ω"].map { .text($0) })),
                Check(.distinct(column: name, .contains, [.integer(0), .number(5)])),
                Check(.distinct(column: name, .equals, (0...5).map { .integer($0) })),
            ]
        }
        checks += [
            Check(.values(column: "word", .length(ValueBounds(.integer(1), .integer(5))))),
            Check(.values(column: "word", .length(ValueBounds(.integer(2), .integer(5))))),
            Check(.values(column: "word", .between(ValueBounds(.text("alpha"), .text("Ω"))))),
            Check(.values(column: "word", .between(ValueBounds(.text("b"))))),
            Check(.table(.rowCount(ValueBounds(.integer(100))))),
            Check(.table(.rowCount(ValueBounds(nil, .integer(100))))),
            Check(.type(column: "small", ["integer"])), Check(.type(column: "word", ["int64", "VARCHAR"])),
            Check(.exists(column: "nothing", position: nil)),
        ]
        return checks
    }

    /// What a profile tells is what the rows tell; the sketches are short, so that they err.
    @Test(
        .enabled(if: CommandLineTable.program != nil, "duckdb is not installed"),
        arguments: [(3, 1), (40, 2), (3000, 3)] as [(Int, UInt64)]
    )
    func `no answer of a profile is another than that of the rows`(rows: Int, seed: UInt64) async throws {
        let table = table(rows: rows, seed: seed)
        let suite = CheckSuite(name: "x", checks: checks)
        let profile = table.profile(quantileLength: 64, frequentCapacity: 16)
        let byProfile = try await CheckRunner(suite).run(on: profile)
        let byRows = try await CheckRunner(suite).run(on: CommandLineTable(table.query))
        for (left, right) in zip(byProfile.results, byRows.results) where left.outcome != .undecided {
            #expect(
                left.outcome == right.outcome,
                "\(left.check.expectation): \(left.observed as Any) \(right.observed as Any)"
            )
            #expect(left.counts == right.counts, "\(left.check.expectation)")
        }
        let answered = byProfile.results.count { $0.outcome != .undecided }
        #expect(answered > suite.checks.count / 2)
        #expect(rows < 3000 || byProfile.results.contains { $0.bound != nil })
        // With both, the result is that of the rows, and fewer of them are read.
        let both = try await CheckRunner(suite).run(on: CommandLineTable(table.query), profile: profile)
        #expect(both.results.map(\.outcome) == byRows.results.map(\.outcome))
        #expect(both.results.contains { $0.answeredBy == .profile } && both.results.contains { $0.answeredBy == .rows })
    }

    @Test(
        .enabled(if: CommandLineTable.program != nil, "duckdb is not installed"),
        arguments: ["small", "wide", "real", "word"],
        DriftMethod.allCases
    )
    func `drift by profiles is drift by rows`(column: String, method: DriftMethod) async throws {
        let (before, after) = (table(rows: 700, seed: 7), table(rows: 500, seed: 8))
        let columns = CheckReference(profile: before.profile())
        for threshold in [1e-4, 0.05, 5] {
            let test = DriftTest(reference: "before", method: method, threshold: threshold)
            let suite = CheckSuite(name: "x", checks: [Check(.drift(column: column, test))])
            let byProfile = try await CheckRunner(suite) { _ in columns }.run(on: after.profile())
            let rows = CheckReference(columns: columns.columns, profile: nil, relation: "(\(before.query))")
            let byRows = try await CheckRunner(suite) { _ in rows }.run(on: CommandLineTable(after.query))
            let (left, right) = (try #require(byProfile.results.first), try #require(byRows.results.first))
            #expect(left.outcome == .undecided || left.outcome == right.outcome, "\(left) \(right)")
            if column == "word", method == .ks {
                #expect(right.outcome == .error)
            } else {
                #expect(right.outcome != .error, "\(right)")
            }
        }
    }

    @Test func `what a profile does not tell is undecided and opens no gate`() async throws {
        let suite = CheckSuite(name: "x", checks: [Check(.values(column: "word", .matches(["a"], .any)))])
        let result = try await CheckRunner(suite).run(on: table(rows: 10, seed: 1).profile())
        #expect(result.results.map(\.outcome) == [.undecided] && result.blocks)
    }

    @Test func `proposals pass on the table they are made from, and read as they are written`() async throws {
        for rows in [0, 5, 400, 5000] {
            let profile = table(rows: rows, seed: 5).profile()
            let suite = CheckProposal.suite(named: "proposed", of: profile)
            #expect(try CheckSuite(reading: suite.yaml) == suite)
            let result = try await CheckRunner(suite).run(on: profile)
            for result in result.results {
                #expect(result.outcome == .passed || result.outcome == .undecided, "\(result)")
            }
            #expect(suite.checks.allSatisfy { $0.note != nil })
        }
        let words = Set(CheckProposal.of(table(rows: 5000, seed: 5).profile()).map(\.check.id))
        #expect(
            words.isSuperset(of: [
                "word.in", "key.unique", "wide.between", "small.null_share", "key.not_null", "real.type",
            ])
        )
        #expect(!words.contains("wide.unique") && !words.contains("key.in"))
    }

    @Test func `back-testing tells when a check would have failed`() async throws {
        let profiles = (1...4).map { day in
            (label: "day \(day)", time: 0.0, profile: table(rows: day == 3 ? 20 : 400, seed: UInt64(day)).profile())
        }
        let suite = CheckSuite(
            name: "x",
            checks: [
                Check(.table(.rowCount(ValueBounds(.integer(100))))),
                Check(.values(column: "word", .matches(["a"], .any))),
            ]
        )
        let test = try await BackTest.run(suite, over: profiles)
        #expect(test.histories.map(\.failed) == [["day 3"], []])
        #expect(test.histories.map(\.answered) == [4, 0])
    }
}
