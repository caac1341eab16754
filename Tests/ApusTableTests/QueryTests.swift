import ApusTable
import Testing

@Suite("Queries", .enabled(if: hasDuckDB, "APUS_DUCKDB names no DuckDB"), .serialized)
struct QueryTests {
    @Test func `values come back as they are`() async throws {
        let folder = try TableFolder()
        let table = try folder.csv("a\n1\n2\n")
        let answer = try await table.rows(
            """
            SELECT a, sum(a) OVER () AS sum, 0.1 + 0.2 AS decimal, 1e308 * 10 AS large, 'it''s' || chr(10) || chr(0) AS t,
                [1, 2] AS list, NULL AS nothing, a > 1 AS yes, TIME '12:00:00' AS time, a AS a -- and a comment
            FROM data ORDER BY a DESC
            """
        )
        #expect(answer.columns == ["a", "sum", "decimal", "large", "t", "list", "nothing", "yes", "time", "a_1"])
        #expect(answer.rows.count == 2)
        #expect(
            answer.rows[0] == [
                .integer(2), .integer(3), .number(0.3), .number(.infinity), .text("it's\n\0"), .text("[1, 2]"), .null,
                .boolean(true), .text("12:00:00"), .integer(2),
            ]
        )
    }

    @Test func `order is kept, and rows are numbered from 0`() async throws {
        let folder = try TableFolder()
        let table = try folder.csv("a\n" + (0..<50_000).map { "\($0 * 7919 % 50_000)\n" }.joined())
        let rows = try await table.rows("SELECT __row, a FROM data WHERE a % 1000 = 1 ORDER BY __row").rows
        #expect(rows.count == 50)
        for row in rows {
            guard case .integer(let number) = row[0], case .integer(let value) = row[1] else {
                Issue.record("no integers")
                continue
            }
            #expect(number * 7919 % 50_000 == value)
        }
    }

    @Test func `literals are read as the same values`() async throws {
        let folder = try TableFolder()
        let table = try folder.csv("a\n1\n")
        let values: [TableValue] = [
            .null, .boolean(true), .integer(.min), .integer(.max), .number(0.1), .number(-.infinity),
            .number(.leastNonzeroMagnitude),
            .text("'; DROP TABLE data; --"), .text("\"\n.shell date\n\\x"), .text(""), .text("e\u{301}'\u{301}"),
        ]
        let list = values.map(SQLText.value).joined(separator: ", ")
        #expect(try await table.rows("SELECT \(list) FROM data").rows.first?.elementsEqual(values) == true)
    }

    @Test(arguments: [
        "SELECT nothing FROM data", "SELEC", "", "SELECT 1; SELECT 2", "DROP VIEW data", "SELECT * FROM other",
        "INSERT INTO data VALUES (1)", "SELECT CAST('x' AS INTEGER)", "SELECT 1) TO '/tmp/x'; --",
    ])
    func `what is no SELECT of the data is a bad query`(sql: String) async throws {
        let folder = try TableFolder()
        let table = try folder.csv("a\n1\n")
        #expect(await failure { try await table.rows(sql) }?.kind == .badQuery)
    }

    @Test func `too much of an answer is refused`() async throws {
        let folder = try TableFolder()
        let table = try folder.csv("a\n1\n")
        #expect(await failure { try await table.rows("SELECT * FROM range(100001)") }?.kind == .badQuery)
        #expect(try await table.rows("SELECT * FROM range(100000)").rows.count == 100_000)
        var limits = TableLimits()
        limits.answerBytes = 1 << 20
        let small = try folder.csv("a\n1\n", limits: limits)
        let error = await failure { try await small.rows("SELECT repeat('x', 100000) FROM range(100)") }
        #expect(error?.kind == .badQuery)
        #expect(await failure { try await small.rows("SELECT repeat('x', 2000000)") }?.kind == .outOfMemory)
    }

    @Test func `time and memory have limits, and nothing is left behind`() async throws {
        let folder = try TableFolder()
        var limits = TableLimits()
        limits.duration = .milliseconds(700)
        let known = [TableColumn(name: "a", type: .integer, sqlType: "BIGINT")]
        let slow = try folder.table(try folder.write("slow.csv", "a\n1\n"), columns: known, limits: limits)
        let endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = -1"
        #expect(await failure { try await slow.rows(endless) }?.kind == .timedOut)
        limits = TableLimits()
        limits.memoryBytes = 64 << 20
        limits.scratchBytes = 1 << 20
        let small = try folder.csv("a\n1\n", limits: limits)
        let large = "SELECT list(range || repeat('x', 100)) FROM range(10000000)"
        #expect(await failure { try await small.rows(large) }?.kind == .outOfMemory)
        #expect(folder.leftovers.isEmpty)
    }

    @Test func `a task that is cancelled ends its process`() async throws {
        let folder = try TableFolder()
        let table = try folder.csv("a\n1\n")
        _ = try await table.columns()
        let clock = ContinuousClock()
        let start = clock.now
        let task = Task {
            try await table.rows("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = -1")
        }
        try await Task.sleep(for: .milliseconds(300))
        task.cancel()
        #expect(await failure { try await task.value }?.kind == .cancelled)
        #expect(clock.now - start < .seconds(20))
        #expect(folder.leftovers.isEmpty)
    }

    @Test func `a body that throws ends the process`() async throws {
        struct Enough: Error {}
        let folder = try TableFolder()
        let table = try folder.csv("a\n" + (0..<200_000).map { "\($0)\n" }.joined())
        await #expect(throws: Enough.self) {
            try await table.scan { _, stream in
                _ = try stream.next()
                throw Enough()
            }
        }
        #expect(folder.leftovers.isEmpty)
    }
}
