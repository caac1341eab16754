import ApusTable
import Datasets
import Testing

/// By the real DuckDB.
@Suite(.enabled(if: CommandLineTable.program != nil, "duckdb is not installed"))
struct `Checks of rows` {
    private let table = SampleTable(columns: [
        ("id", .text, ["a", "b", "b", "d", "e"].map { .text($0) }),
        ("age", .integer, [.integer(30), .integer(200), .null, .integer(-1), .integer(40)]),
        ("score", .number, [.number(1), .number(.nan), .null, .number(2.5), .number(4)]),
        ("name", .text, [.text("Ada"), .text("O'Neil"), .text(""), .null, .text("李雷")]),
    ])

    private func run(_ checks: [Check], keys: [String] = [], on query: String? = nil) async throws -> SuiteResult {
        try await CheckRunner(CheckSuite(name: "x", keys: keys, checks: checks)).run(
            on: CommandLineTable(query ?? table.query)
        )
    }

    private func one(_ expectation: Datasets.Expectation, mostly: Double = 1, on query: String? = nil) async throws
        -> CheckResult
    {
        try #require(try await run([Check(expectation, mostly: mostly)], on: query).results.first)
    }

    @Test func `rows that fail are named by number and keys`() async throws {
        let check = Check(.values(column: "age", .between(ValueBounds(.integer(0), .integer(120)))))
        let result = try await run([check], keys: ["id"])
        #expect(result.blocks && !result.success && result.rowCount == 5)
        let found = try #require(result.results.first)
        #expect(found.counts == RowCounts(elements: 5, considered: 4, unexpected: 2))
        #expect(
            found.failingRows == [
                FailingRow(row: 1, keys: [.init("id", .text("b"))], values: [.init("age", .integer(200))]),
                FailingRow(row: 3, keys: [.init("id", .text("d"))], values: [.init("age", .integer(-1))]),
            ]
        )
        #expect(found.failingValues.map(\.count) == [1, 1])
        #expect(found.message == "2 of 4 rows fail")
    }

    @Test func `values that fail are counted, also where more rows fail than are shown`() async throws {
        let query = "SELECT i AS id, i % 3 AS a, 'x' || (i % 2) AS b FROM range(90) AS t(i)"
        let result = try await run(
            [
                Check(.values(column: "a", .inSet([.integer(0)]))), Check(.values(column: "b", .inSet([.text("y")]))),
                Check(.distinct(column: "b", .within, [.text("x0")])),
                Check(.rows(columns: ["a", "id"], .greater(orEqual: true), .all)), Check(.values(column: "a", .unique)),
            ],
            keys: ["id"],
            on: query
        )
        let values = result.results.map(\.failingValues)
        #expect(result.results.allSatisfy { $0.details.allSatisfy { $0.name != "examples" } })
        #expect(values[0] == [1, 2].map { FailingValue(values: [.integer($0)], count: 30) })
        #expect(values[1] == ["x0", "x1"].map { FailingValue(values: [.text($0)], count: 45) })
        #expect(values[2] == [FailingValue(values: [.text("x1")], count: 45)])
        #expect(values[3].count == 20 && values[3].allSatisfy { $0.count == 1 && $0.values.count == 2 })
        #expect(values[4] == [0, 1, 2].map { FailingValue(values: [.integer($0)], count: 30) })
        #expect(result.results.map(\.failingRows.count) == [20, 20, 20, 20, 20])
        #expect(result.results[0].failingRows[0].keys == [.init("id", .integer(1))])
    }

    @Test func `NaN is missing and fails nothing else`() async throws {
        let missing = try await one(.values(column: "score", .notNull))
        #expect(missing.counts == RowCounts(elements: 5, considered: nil, unexpected: 2))
        let range = try await one(.values(column: "score", .between(ValueBounds(.integer(1), .integer(4)))))
        #expect(range.counts == RowCounts(elements: 5, considered: 3, unexpected: 0) && range.isPassed)
        let mean = try await one(.statistic(column: "score", .mean, ValueBounds(.number(2.5), .number(2.5))))
        #expect(mean.isPassed && mean.observed == .number(2.5))
    }

    @Test func `a column that is not there fails the check and no other`() async throws {
        let result = try await run([
            Check(.values(column: "Age", .notNull)), Check(.values(column: "id", .notNull)),
            Check(.values(column: "name", .matches(["("], .any))),
            Check(.values(column: "name", .matches(["(?=a)"], .any))),
            Check(.values(column: "name", .between(ValueBounds(.integer(0))))),
        ])
        #expect(result.results.map(\.outcome) == [.error, .passed, .error, .error, .error])
        #expect(result.results[0].message == "there is no column 'Age'; did you mean 'age'?")
        #expect(result.results[3].message?.contains("look-ahead") == true)
        #expect(result.results[4].message?.contains("holds texts") == true)
    }

    @Test func `names and values with quotes are no SQL`() async throws {
        let name = "a\"b'; DROP TABLE source; --"
        let table = SampleTable(columns: [(name, .text, [.text("x'; --"), .text("y\"")])])
        let result = try await one(.values(column: name, .inSet([.text("x'; --")])), on: table.query)
        #expect(result.counts?.unexpected == 1 && result.failingValues.first?.values == [.text("y\"")])
    }

    @Test func `an empty table passes what is about rows`() async throws {
        let empty = SampleTable(columns: [("a", .integer, []), ("b", .text, [])]).query
        let tests: [ValueTest] = [
            .notNull, .null, .unique, .between(ValueBounds(.integer(0))), .inSet([.integer(1)]),
            .increasing(strictly: true),
            .zScore(1, bothSides: true), .matches(["x"], .any),
        ]
        for test in tests {
            let result = try await one(.values(column: "a", test), on: empty)
            #expect(result.isPassed && result.counts?.elements == 0, "\(test): \(result)")
        }
        #expect(try await one(.rows(columns: ["a", "b"], .unique, .all), on: empty).isPassed)
        #expect(try await !one(.statistic(column: "a", .mean, ValueBounds(.integer(0))), on: empty).isPassed)
        #expect(try await one(.statistic(column: "a", .sum, ValueBounds(.integer(0))), on: empty).isPassed)
        #expect(try await one(.statistic(column: "a", .nullShare, ValueBounds(nil, .integer(0))), on: empty).isPassed)
    }

    @Test func `a query that finds rows shows them`() async throws {
        let result = try await one(.table(.noRows(sql: "SELECT id, age FROM data WHERE age > 100")))
        #expect(result.outcome == .failed && result.observed == .integer(1))
        #expect(
            result.failingRows == [
                FailingRow(row: nil, keys: [], values: [.init("id", .text("b")), .init("age", .integer(200))])
            ]
        )
        #expect(try await one(.table(.noRows(sql: "SELECT 1 WHERE FALSE"))).isPassed)
    }

    @Test func `freshness is told from the latest time`() async throws {
        let times = SampleTable(columns: [
            ("at", .timestamp, [.text("2024-03-01 10:00:00"), .text("2024-03-01 12:00:00")])
        ])
        let noon = 1_709_294_400.0
        for (now, passes) in [(noon + 3600, true), (noon + 3601, false)] {
            let suite = CheckSuite(name: "x", checks: [Check(.fresh(column: "at", seconds: 3600))])
            let result = try await CheckRunner(suite, now: now).run(on: CommandLineTable(times.query))
            #expect(result.success == passes)
        }
    }

    @Test func `values are looked for in another table`() async throws {
        let facts = CheckReference(
            columns: [TableColumn(name: "key", type: .text, sqlType: "VARCHAR")],
            profile: nil,
            relation: "(SELECT unnest(['a', 'b', NULL]) AS key)"
        )
        let suite = CheckSuite(
            name: "x",
            checks: [
                Check(.values(column: "id", .refersTo(table: "keys", column: "key"))),
                Check(.values(column: "id", .refersTo(table: "keys", column: "kye"))),
                Check(.values(column: "id", .refersTo(table: "nothing", column: "key"))),
                Check(.table(.sameRowCount(as: "keys"))),
            ]
        )
        let runner = CheckRunner(suite) { $0 == "keys" ? facts : nil }
        let result = try await runner.run(on: CommandLineTable(table.query))
        #expect(result.results.map(\.outcome) == [.failed, .error, .error, .failed])
        #expect(result.results[0].failingRows.map(\.row) == [3, 4])
        #expect(result.results[1].message == "'keys' has no column 'kye'; did you mean 'key'?")
    }

    @Test func `only checks that fail are asked for rows`() async throws {
        let counting = CountingTable(base: CommandLineTable(table.query))
        let checks = (0..<50).map {
            Check(.values(column: "age", .between(ValueBounds(.integer(-1), .integer(200 + $0)))))
        }
        let result = try await CheckRunner(CheckSuite(name: "x", checks: checks)).run(on: counting)
        #expect(result.success)
        #expect(await counting.count == 1)
    }
}

/// Counts queries.
private actor CountingTable: TableQuerying {
    private let base: CommandLineTable
    private(set) var count = 0

    init(base: CommandLineTable) { self.base = base }

    func columns() async throws -> [TableColumn] { try await base.columns() }

    func rows(_ sql: String) async throws -> TableRows {
        count += 1
        return try await base.rows(sql)
    }
}
