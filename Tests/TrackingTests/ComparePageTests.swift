import ApusDatabase
import ApusGateway
import ApusKernel
import ApusTesting
import Testing
import Tracking

/// The page that compares runs, and what its scripts ask for.
@Suite struct ComparePageTests {
    private func run(
        _ site: PageSite,
        _ name: String,
        _ params: [String: String],
        _ metrics: [String: Double]
    ) async throws -> String {
        let run = try await site.store.createRun(.init(experimentID: "0", name: name)).info.id.rawValue
        var batch = LogBatch(runID: run)
        batch.params = params.map { KeyValue(key: $0.key, value: $0.value) }
        batch.metrics = metrics.map { MetricPoint(key: $0.key, value: $0.value, timestamp: 1, step: 0) }
        batch.tags = [KeyValue(key: "team", value: "red"), KeyValue(key: "mlflow.user", value: name)]
        try await site.store.log(batch)
        return run
    }

    private func query(_ runs: [String]) -> String { runs.map { "run=\($0)" }.joined(separator: "&") }

    @Test(arguments: ApusFixture.dialects)
    func `differences are marked, found, and the rest is left out when asked`(_ dialect: Dialect) async throws {
        try await PageSite.with(dialect) { site in
            let runs = [
                try await run(site, "first", ["lr": "0.1", "depth": "3", "a_b": "1"], ["acc": 0.5, "same": 1]),
                try await run(site, "second", ["lr": "0.2", "depth": "3", "a_b": "1"], ["acc": 0.75, "same": 1]),
            ]
            let page = "/console/compare?view=differences&\(query(runs))"
            let all = try await site.get(page).text
            #expect(all.contains(#"<tr class="diff-changed" data-name="lr">"#))
            #expect(all.contains(#"<tr class="diff-same" data-name="depth">"#))
            #expect(all.contains("+0.25") && !all.contains("mlflow.user"))
            // What differs comes first.
            let before = try #require(all.split(separator: #"data-name="lr""#).first)
            #expect(!before.contains(#"data-name="depth""#))

            let other = try await site.get("\(page)&base=\(runs[1])").text
            #expect(other.contains("−0.25") && !other.contains("+0.25"))

            let some = try await site.get("\(page)&differs=1").text
            #expect(some.contains(#"data-name="lr""#) && some.contains(#"data-name="acc""#))
            for key in ["depth", "same", "team"] { #expect(!some.contains("data-name=\"\(key)\""), "\(key)") }

            // An underscore is a character, not a wildcard.
            let found = try await site.get("\(page)&find=A_B").text
            #expect(found.contains(#"data-name="a_b""#) && !found.contains(#"data-name="acc""#))
            #expect(try await site.get("\(page)&find=%25").text.contains("Nothing found"))
        }
    }

    @Test func `a page of many runs and keys is bounded, and says so`() async throws {
        try await PageSite.with(.sqlite) { site in
            let metrics = Dictionary(uniqueKeysWithValues: (0..<800).map { ("m\(1000 + $0)", Double($0)) })
            let runs = [try await run(site, "wide", [:], metrics), try await run(site, "narrow", [:], [:])]
            let tables = try await site.get("/console/compare?view=differences&\(query(runs))").text
            #expect(tables.contains("the first 500 keys") && tables.contains("m1499") && !tables.contains("m1500"))
            let found = try await site.get("/console/compare?view=differences&find=m1700&\(query(runs))").text
            #expect(found.contains("m1700"))
            for path in ["/console/compare?\(query(runs))", "/console/runs/\(runs[0])/charts"] {
                let charts = try await site.get(path).text
                #expect(charts.contains("data-more-keys") && charts.contains("m1499") && !charts.contains("m1500"))
            }
            let many = (0...200).map { "run=\($0)" }.joined(separator: "&")
            for path in ["compare", "data/keys", "data/values"] {
                #expect(try await site.get("/console/\(path)?\(many)").status == 400, "\(path)")
            }
        }
    }

    @Test func `runs that are not there are told, and one's line breaks do not shift the others`() async throws {
        try await PageSite.with(.sqlite) { site in
            let run = try await run(site, "a\nb", [:], ["m": 1])
            let page = try await site.get("/console/compare?run=\(run)&run=none&view=images").text
            #expect(page.contains("One of the chosen runs is not there."))
            #expect(page.contains(#"data-run-names="a b""#))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `keys and values come in the order of what is asked for`(_ dialect: Dialect) async throws {
        try await PageSite.with(dialect) { site in
            let first = try await run(site, "first", ["lr": "0.1", "depth": "3"], ["acc": 0.5, "nan": .nan])
            let second = try await run(site, "second", ["depth": "3"], ["acc": 0.75])
            let both = "run=\(second)&run=\(first)"
            #expect(
                try await site.get("/console/data/keys?\(both)").text == #"{"keys":["acc","nan"],"more":false}"#
            )
            #expect(try await site.get("/console/data/keys?limit=1&\(both)").text == #"{"keys":["acc"],"more":true}"#)
            #expect(
                try await site.get("/console/data/keys?kind=params&differs=1&\(both)").text
                    == #"{"keys":["lr"],"more":false}"#
            )
            #expect(
                try await site.get("/console/data/keys?kind=params&\(both)").text
                    == #"{"keys":["lr","depth"],"more":false}"#
            )
            let columns = percentEncoded("metrics.acc\nmetrics.nan\nparams.lr\nrubbish")
            #expect(
                try await site.get("/console/data/values?columns=\(columns)&\(both)").text
                    == #"{"runs":["\#(second)","\#(first)"],"columns":["#
                    + #"{"name":"metrics.acc","values":[0.75,0.5]},{"name":"metrics.nan","values":[null,"NaN"]},"#
                    + #"{"name":"params.lr","values":[null,"0.1"]}]}"#
            )
            #expect(try await site.get("/console/data/keys?kind=x").status == 400)
            #expect(try await site.get("/console/data/keys").text == #"{"keys":[],"more":false}"#)
        }
    }
}
