import ApusTable
import Datasets
import Testing

@Suite struct `Text of suites` {
    private func mistakes(_ text: String) -> [String] {
        do {
            _ = try CheckSuite(reading: text)
            return []
        } catch let error as SuiteMistakes {
            return error.mistakes.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test func `the checks of the design are read`() throws {
        let suite = try CheckSuite(
            reading: """
                name: patients
                keys: patient_id
                checks:
                  - { column: age, between: [0, 120] }
                  - { column: sex, in: [1, 2], mostly: 0.99, severity: warn }
                  - { rows: { at_least: 400 } }
                  - { duplicates: { at_most: 0 } }
                """
        )
        #expect(suite.name == "patients")
        #expect(suite.keys == ["patient_id"])
        #expect(
            suite.checks == [
                Check(.values(column: "age", .between(ValueBounds(.integer(0), .integer(120))))),
                Check(.values(column: "sex", .inSet([.integer(1), .integer(2)])), mostly: 0.99, severity: .warn),
                Check(.table(.rowCount(ValueBounds(.integer(400))))),
                Check(.table(.duplicates(ValueBounds(nil, .integer(0))))),
            ]
        )
        #expect(suite.checks.map(\.id) == ["age.between", "sex.in", "rows", "duplicates"])
    }

    @Test func `every check reads as it was written, in YAML and in JSON`() throws {
        let meta = SuiteValue.object([
            .init("owner", .text("a: b")), .init("deep", .list([.null, .bool(false), .number(0.1)])),
        ])
        let suite = CheckSuite(
            name: "all: of \"them\"",
            description: "with a # sign",
            keys: ["id", "yes"],
            checks: SampleChecks.all,
            meta: meta
        )
        #expect(try CheckSuite(reading: suite.yaml) == suite)
        #expect(try CheckSuite(reading: String(decoding: suite.json, as: UTF8.self)) == suite)
    }

    @Test func `a mistake names its place and the word that was meant`() {
        #expect(
            mistakes("name: x\nchecks:\n  - { column: age, betwen: [0, 1] }\n") == [
                "line 3, checks[0].betwen: unknown word; did you mean 'between'?"
            ]
        )
        #expect(mistakes("chekcs: []").first?.contains("did you mean 'checks'?") == true)
        #expect(mistakes("checks: [{ column: a, mean: { at_leats: 3 } }]").first?.contains("'at_least'") == true)
    }

    @Test(
        arguments: [
            ("checks: [{ column: a, between: [3, 1] }]", "above the upper bound"),
            ("checks: [{ between: [0, 1] }]", "needs a 'column'"), ("checks: [{ column: a }]", "what is expected"),
            ("checks: [{ column: a, unique: true, not_null: true }]", "expects one thing"),
            ("checks: [{ column: a, unique: false }]", "'true'"),
            ("checks: [{ rows: 3, column: a }]", "about the table"),
            ("checks: [{ column: a, mean: [0, 1], mostly: 0.5 }]", "does not count rows"),
            ("checks: [{ column: a, not_null: true, mostly: 2 }]", "from 0 to 1"),
            ("checks: [{ column: a, not_null: true, severity: bad }]", "'warn' or 'fail'"),
            ("checks: [{ column: a, in: [] }]", "at least one value"),
            ("checks: [{ column: a, in: [null] }]", "not_null"),
            ("checks: [{ column: a, mean: [x, y] }]", "bounds are numbers"), ("checks: 3", "a list of checks"),
            ("checks: [{ sql: DROP TABLE x }]", "begins with SELECT"),
            ("checks: [{ sql: 'SELECT 1; SELECT 2' }]", "semicolon"),
            ("checks: [{ sql: 'SELECT 1) FROM (SELECT 2' }]", "parenthesis"),
            ("checks: [{ columns: [a], greater: true }]", "two columns"),
            ("checks: [{ column: a, fresh: soon }]", "24h"), ("checks: [{ column: a, drift: { from: v1 } }]", "psi"),
            ("a: 1\na: 2", "twice"), ("checks: [", "no YAML"), ("", "empty"), ("- 3", "a check is a mapping"),
            ("expectations: []", "Great Expectations"), ("checks: &x [*x]", "references"),
            ("a: &b [1]\nchecks: [*b, *b]", "references"),
        ] as [(String, String)]
    )
    func `what is wrong is said`(text: String, words: String) {
        let found = mistakes(text)
        #expect(found.contains { $0.contains(words) }, "\(found)")
    }

    @Test func `a text that is nested deep is refused`() {
        for depth in [40, 900, 5000] {
            let opened = String(repeating: "[", count: depth)
            #expect(!mistakes("checks: \(opened)\(String(repeating: "]", count: depth))").isEmpty)
            let json = String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
            #expect(!mistakes(json).isEmpty)
        }
    }

    @Test func `words of YAML 1.1 are texts`() throws {
        let suite = try CheckSuite(
            reading: "checks: [{ column: a, in: [no, on, '1', 1, 1.5, true, 2024-01-01, 1_000] }]"
        )
        #expect(
            suite.checks.first?.expectation
                == .values(
                    column: "a",
                    .inSet([
                        .text("no"), .text("on"), .text("1"), .integer(1), .number(1.5), .boolean(true),
                        .text("2024-01-01"), .text("1_000"),
                    ])
                )
        )
    }

    @Test func `checks alike get identifiers of their own`() {
        let check = Check(.values(column: "a", .notNull))
        #expect(
            CheckSuite(name: "x", checks: [check, check, check]).checks.map(\.id) == [
                "a.not_null", "a.not_null#2", "a.not_null#3",
            ]
        )
    }
}
