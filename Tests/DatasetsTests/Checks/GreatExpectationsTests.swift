import ApusJSON
import ApusTable
import Datasets
import Testing

@Suite struct `Suites of Great Expectations` {
    private func text(_ value: SuiteValue) -> String {
        var json = JSONWriter()
        json.suiteValue(value)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private func imported(_ expectations: String) throws -> (suite: CheckSuite, notes: [ConversionNote]) {
        try CheckSuite.importing(greatExpectations: "{\"name\":\"x\",\"expectations\":[\(expectations)]}")
    }

    @Test func `what is exported is read as the same checks`() throws {
        let suite = CheckSuite(
            name: "all",
            description: "about",
            checks: SampleChecks.all,
            meta: .object([.init("a", .integer(1))])
        )
        let (value, notes) = suite.exportingGreatExpectations()
        let lost = notes.filter { $0.kind == .unsupported }.map(\.place)
        let (again, _) = try CheckSuite.importing(greatExpectations: text(value))
        #expect(again.checks.count + lost.count == suite.checks.count)
        let kept = suite.checks.enumerated().filter { !lost.contains("checks[\($0.offset)] \($0.element.id)") }.map(
            \.element
        )
        for (before, after) in zip(kept, again.checks) {
            #expect(before.expectation == after.expectation)
            #expect(before.mostly == after.mostly && before.severity == after.severity && before.note == after.note)
        }
        #expect(again.meta == suite.meta && again.description == suite.description)
        #expect(text(again.exportingGreatExpectations().suite) == text(value))
    }

    @Test func `only what Great Expectations does not have is left out, and told`() {
        let suite = CheckSuite(name: "all", checks: SampleChecks.all)
        let words = suite.exportingGreatExpectations().notes.filter { $0.kind == .unsupported }.map {
            $0.message.split(separator: "'")[1]
        }
        #expect(Set(words) == ["refers_to", "fresh", "drift", "same_schema", "duplicates"])
    }

    @Test func `a suite of the time before 1_0 is read`() throws {
        let text = """
            {"expectation_suite_name": "old", "data_asset_type": null, "ge_cloud_id": null, "meta": {"great_expectations_version": "0.15.2"},
             "expectations": [{"expectation_type": "expect_column_values_to_be_between",
               "kwargs": {"column": "age", "min_value": 0, "max_value": 120, "mostly": 0.9, "result_format": "BASIC"},
               "meta": {"notes": {"content": "x"}}}]}
            """
        let (suite, notes) = try CheckSuite.importing(greatExpectations: text)
        #expect(suite.name == "old")
        #expect(
            suite.checks.first?.expectation == .values(column: "age", .between(ValueBounds(.integer(0), .integer(120))))
        )
        #expect(suite.checks.first?.mostly == 0.9)
        #expect(notes.map(\.kind) == [.ignored])
    }

    @Test(
        arguments: [
            (#"{"type":"expect_column_kl_divergence_to_be_less_than","kwargs":{"column":"a"}}"#, "no such check"),
            (#"{"type":"expect_column_values_to_be_betwen","kwargs":{"column":"a"}}"#, "did you mean"),
            (
                #"{"type":"expect_column_values_to_be_unique","kwargs":{"column":"a","row_condition":"b > 1"}}"#,
                "row_condition"
            ),
            (#"{"type":"expect_column_values_to_be_unique","kwargs":{"column":"a","surprise":3}}"#, "surprise"),
            (
                #"{"type":"expect_column_values_to_be_between","kwargs":{"column":"a","min_value":{"$PARAMETER":"p"}}}"#,
                "parameter"
            ),
            (#"{"type":"expect_column_values_to_be_between","kwargs":{"column":"a"}}"#, "neither"),
            (#"{"kwargs":{}}"#, "type"), (#"{"type":"expect_column_values_to_be_unique"}"#, "column"),
        ]
    )
    func `an expectation that is not supported is told`(json: String, words: String) throws {
        let (suite, notes) = try imported(json)
        #expect(suite.checks.isEmpty)
        #expect(notes.count == 1 && notes[0].kind == .unsupported && notes[0].message.contains(words), "\(notes)")
    }

    @Test func `severities and descriptions come through`() throws {
        let json =
            #"{"type":"expect_column_values_to_be_unique","kwargs":{"column":"a"},"severity":"info","notes":"n","description":"d","meta":{"k":1},"id":"7f"}"#
        let (suite, notes) = try imported(json)
        #expect(
            suite.checks.first?.severity == .warn && suite.checks.first?.note == "n" && suite.checks.first?.id == "7f"
        )
        #expect(notes.map(\.kind) == [.changed])
        let again = suite.exportingGreatExpectations().suite["expectations"]
        #expect(
            text(again ?? .null).contains(#""description":"d","meta":{"k":1},"notes":"n","severity":"info","id":"7f""#)
        )
    }

    @Test func `patterns that RE2 reads otherwise are noted`() throws {
        let (_, notes) = try imported(
            #"{"type":"expect_column_values_to_match_regex","kwargs":{"column":"a","regex":"(?=x)\\d$"}}"#
        )
        #expect(notes.count == 3 && notes.allSatisfy { $0.kind == .changed })
        #expect(PatternDialect.missing("[(?=]x\\(?=") == [])
        #expect(PatternDialect.missing("(a)\\1").count == 1)
        #expect(PatternDialect.missing("a++").count == 1)
        #expect(PatternDialect.missing("[*+]\\+").isEmpty)
    }

    @Test func `what is no suite is refused`() {
        #expect(throws: SuiteMistakes.self) { try CheckSuite.importing(greatExpectations: "{}") }
        #expect(throws: SuiteMistakes.self) { try CheckSuite.importing(greatExpectations: "[1") }
    }
}
