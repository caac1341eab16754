import ApusKernel
import ApusQuery
import Testing

@Suite struct FilterTests {
    private func message(_ schema: SearchSchema, _ filter: String) -> String? {
        do {
            _ = try schema.parse(filter: filter)
            return nil
        } catch let error as RequestError {
            return error.code == .invalidParameterValue ? error.message : "wrong code \(error.code)"
        } catch {
            return "wrong error \(error)"
        }
    }

    @Test(arguments: ["", " ", "\n\t", "AND", "and AND"])
    func `nothing to compare is no filter`(filter: String) throws {
        #expect(try SearchSchema.runs.parse(filter: filter) == nil)
    }

    @Test(arguments: [
        ("metrics.m = 1", ComparisonOperator.equal), ("metrics.m != 1", .notEqual), ("metrics.m < 1", .less),
        ("metrics.m <= 1", .lessOrEqual), ("metrics.m > 1", .greater), ("metrics.m >= 1", .greaterOrEqual),
    ])
    func `metrics have the six numeric operators`(filter: String, comparator: ComparisonOperator) throws {
        let expected = Comparison(.metric, "m", comparator, .integer(1))
        #expect(try SearchSchema.runs.parse(filter: filter) == .comparison(expected))
    }

    @Test(arguments: [
        ("tags.t = 'x'", ComparisonOperator.equal, ComparisonValue.string("x")),
        ("tags.t != \"x\"", .notEqual, .string("x")),
        ("tags.t like '%x_'", .like, .string("%x_")),
        ("tags.t iLike 'x'", .iLike, .string("x")),
        ("tags.t is null", .isNull, .none),
        ("tags.t Is Not Null", .isNotNull, .none),
    ])
    func `tags have the textual operators`(
        filter: String,
        comparator: ComparisonOperator,
        value: ComparisonValue
    ) throws {
        let expected = Comparison(.tag, "t", comparator, value)
        #expect(try SearchSchema.runs.parse(filter: filter) == .comparison(expected))
    }

    @Test(arguments: [
        ("metrics.m > 9007199254740993", ComparisonValue.integer(9_007_199_254_740_993)),
        ("metrics.m > -9223372036854775808", .integer(.min)),
        ("metrics.m > 9223372036854775808", .number(0x1p63)),
        ("metrics.m > 1.0", .number(1)),
        ("metrics.m > 1e3", .number(1000)),
        ("metrics.m > 1e999", .number(.infinity)),
        ("start_time > 1.5", .number(1.5)),
    ])
    func `whole numbers stay exact`(filter: String, value: ComparisonValue) throws {
        #expect(try SearchSchema.runs.parse(filter: filter)?.comparisons.first?.value == value)
    }

    @Test func `aliases of attributes become canonical names`() throws {
        let runs = try SearchSchema.runs.parse(filter: "Created > 1 AND `Run name` = 'a' AND metrics.created > 1")
        #expect(runs?.comparisons.map(\.key) == ["start_time", "run_name", "created"])
        let models = try SearchSchema.loggedModels.parse(
            filter: "creation_time > 1 AND attributes.creation_timestamp > 1"
        )
        #expect(models?.comparisons.map(\.key) == ["creation_timestamp", "creation_timestamp"])
    }

    @Test func `AND binds tighter than OR`() throws {
        let (a, b, c) = (Self.metric("a"), Self.metric("b"), Self.metric("c"))
        let parse = SearchSchema.runs.parse(filter:)
        #expect(try parse("metrics.a > 1 OR metrics.b > 1 AND metrics.c > 1") == .or([a, .and([b, c])]))
        #expect(try parse("(metrics.a > 1 OR metrics.b > 1) AND metrics.c > 1") == .and([.or([a, b]), c]))
        #expect(try parse("metrics.a > 1 or(metrics.b > 1 and(metrics.c > 1))") == .or([a, .and([b, c])]))
        #expect(try parse("((metrics.a > 1))") == a)
        #expect(try parse("metrics.a > 1 AND (metrics.b > 1 AND metrics.c > 1)") == .and([a, b, c]))
    }

    @Test func `lists and groups can share a filter`() throws {
        let filter = try SearchSchema.runs.parse(filter: "(run_id IN ('a', 'b') OR tags.t IS NULL) AND metrics.a > 1")
        let lists = Filter.comparison(Comparison(.attribute, "run_id", .in, .list(["a", "b"])))
        let tests = Filter.comparison(Comparison(.tag, "t", .isNull, .none))
        #expect(filter == .and([.or([lists, tests]), Self.metric("a")]))
    }

    @Test(arguments: [
        ("metrics.a > 1 OR", "'OR'"), ("OR metrics.a > 1", "'OR'"), ("metrics.a > 1 OR OR metrics.b > 1", "'OR'"),
        ("metrics.a > 1 OR AND metrics.b > 1", "'AND'"), ("()", "'()'"), ("metrics.a > 1 AND ()", "'()'"),
        ("(metrics.a > 1) metrics.b > 1", "'metrics.b > 1'"), ("(metrics.a > 1 AND)", "'AND'"),
        ("metrics.a > 1 (metrics.b > 1)", "'(metrics.b > 1)'"), ("(metrics.a > 1", "'('"), ("OR", "'OR'"),
        ("NOT (metrics.a > 1)", "'NOT', '(metrics.a > 1)'"), ("(metrics.a > 1 OR foo)", "'foo'"),
    ])
    func `a malformed group names what is out of place`(filter: String, parts: String) {
        #expect(message(.runs, filter) == "Invalid clause(s) in filter string: \(parts)")
    }

    @Test func `limits are said`() {
        let clauses = Array(repeating: "metrics.a > 1", count: 201)
        #expect(message(.runs, clauses.dropLast().joined(separator: " OR ")) == nil)
        #expect(message(.runs, clauses.joined(separator: " OR ")) == "The filter has more than 200 comparisons.")
        func nested(_ depth: Int) -> String {
            String(repeating: "(", count: depth) + "metrics.a > 1" + String(repeating: ")", count: depth)
        }
        #expect(message(.runs, nested(32)) == nil)
        #expect(message(.runs, nested(33)) == "The filter has more than 32 nested parentheses.")
        let items = Array(repeating: "'a'", count: 5_001)
        func list(_ items: some Sequence<String>) -> String { "run_id IN (\(items.joined(separator: ",")))" }
        #expect(message(.runs, list(items.dropLast())) == nil)
        #expect(message(.runs, list(items)) == "A list in the filter has more than 5000 items.")
        let long = "tags.a = '" + String(repeating: "x", count: 65_536) + "'"
        #expect(message(.runs, long) == "The filter is longer than 65536 bytes.")
    }

    @Test func `a combining mark does not hide a quote`() throws {
        let filter = try SearchSchema.runs.parse(filter: "tags.a = '\u{301}x'")
        #expect(filter?.comparisons.first?.value == .string("\u{301}x"))
    }

    private static func metric(_ key: String) -> Filter {
        .comparison(Comparison(.metric, key, .greater, .integer(1)))
    }
}
