import ApusDatabase
import ApusGateway
import ApusKernel
import ApusTesting
import Testing
import Tracking

/// What the table of runs asks for: trees, groups, small curves, and help with the filter.
@Suite struct RunTableTests {
    private static let table = "/console/data/runs?experiment=0&columns="

    private func run(
        _ store: TrackingStore,
        _ name: String,
        parent: String? = nil,
        experiment: String = "0",
        kind: String? = nil,
        accuracy: Double? = nil
    ) async throws -> String {
        let run = try await store.createRun(.init(experimentID: experiment, name: name, startTime: 1_000))
        let id = run.info.id.rawValue
        if let parent { try await store.setTag(run: id, KeyValue(key: "mlflow.parentRunId", value: parent)) }
        var batch = LogBatch(runID: id)
        if let accuracy { batch.metrics = [MetricPoint(key: "acc", value: accuracy, timestamp: 1, step: 0)] }
        if let kind { batch.params = [KeyValue(key: "kind", value: kind)] }
        try await store.log(batch)
        return id
    }

    /// The names of the rows in an answer, in their order.
    private func names(_ text: String) -> [String] {
        text.split(separator: #""name":""#).dropFirst().map { String($0.prefix { $0 != "\"" }) }.sorted()
    }

    // MARK: Trees

    @Test(arguments: ApusFixture.dialects)
    func `children stand below their parent, and whoever has none in sight stands at the top`(_ dialect: Dialect)
        async throws
    {
        try await PageSite.with(dialect) { site in
            let store = site.store
            let root = try await run(store, "root")
            let child = try await run(store, "child", parent: root)
            _ = try await run(store, "grandchild", parent: child)
            _ = try await run(store, "orphan", parent: "gone")
            _ = try await run(store, "long", parent: String(repeating: "x", count: 5_000))
            let own = try await run(store, "own")
            try await store.setTag(run: own, KeyValue(key: "mlflow.parentRunId", value: own))

            let top = try await site.get(Self.table).text
            #expect(names(top) == ["long", "orphan", "own", "root"])
            #expect(top.contains(#""total":4,"all":6"#), "\(top)")
            #expect(top.contains(#""children":1"#))
            let below = try await site.get("\(Self.table)&parent=\(root)").text
            #expect(names(below) == ["child"] && below.contains(#""children":1"#) && below.contains(#""total":1"#))
            #expect(names(try await site.get("\(Self.table)&parent=\(child)").text) == ["grandchild"])
            #expect(names(try await site.get("\(Self.table)&parent=\(own)").text).isEmpty)
            #expect(names(try await site.get("\(Self.table)&rows=flat").text).count == 6)
            // What is found stands by itself.
            let found = try await site.get("\(Self.table)&filter=\(percentEncoded("attributes.run_name = 'child'"))")
                .text
            #expect(names(found) == ["child"])

            try await store.moveRun(id: root, to: .deleted)
            #expect(names(try await site.get(Self.table).text) == ["child", "long", "orphan", "own"])
            let all = try await site.get("\(Self.table)&view=all").text
            #expect(names(all) == ["long", "orphan", "own", "root"])
            #expect(try await site.get("/console/experiments/0").text.contains("5 runs, 4 at the top"))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a tree is sorted by a metric at every level`(_ dialect: Dialect) async throws {
        try await PageSite.with(dialect) { site in
            let root = try await run(site.store, "a", accuracy: 1)
            _ = try await run(site.store, "b", accuracy: 2)
            _ = try await run(site.store, "c")
            for number in 0..<3 { _ = try await run(site.store, "c\(number)", parent: root, accuracy: Double(number)) }
            let order = "&order=\(percentEncoded("metrics.acc DESC"))"
            let top = try await site.get(Self.table + order).text
            #expect(top.contains(#""total":3"#))
            let places = ["\"b\"", "\"a\"", "\"c\""].compactMap { top.firstRange(of: $0)?.lowerBound }
            #expect(places.count == 3 && places == places.sorted())
            let below = try await site.get("\(Self.table)&parent=\(root)\(order)").text
            let children = ["\"c2\"", "\"c1\"", "\"c0\""].compactMap { below.firstRange(of: $0)?.lowerBound }
            #expect(children.count == 3 && children == children.sorted())
        }
    }

    @Test func `children are found by an index, however many runs there are`() async throws {
        try await PageSite.with(.sqlite) { site in
            let root = try await run(site.store, "root")
            _ = try await run(site.store, "child", parent: root)
            for path in ["\(Self.table)&parent=\(root)&count=0", "\(Self.table)&count=0"] {
                let trace = StatementTrace()
                try await StatementTrace.$current.withValue(trace) { _ = try await site.get(path) }
                #expect(trace.statements.count <= 4, "\(trace.statements.map(\.sql))")
                for statement in trace.statements where statement.sql.contains("mlflow.parentRunId") {
                    let plan = try await site.database.read { transaction in
                        try transaction.query("EXPLAIN QUERY PLAN \(statement.sql)", statement.values) { $0.text(3) }
                    }
                    #expect(!plan.contains { $0.hasPrefix("SCAN t") || $0.hasPrefix("SCAN s") }, "\(plan)")
                    #expect(!plan.contains { $0.hasPrefix("SCAN c") || $0.hasPrefix("SCAN q") }, "\(plan)")
                }
            }
        }
    }

    // MARK: Groups

    @Test(arguments: ApusFixture.dialects)
    func `groups hold the least, mean and greatest of each metric`(_ dialect: Dialect) async throws {
        try await PageSite.with(dialect) { site in
            for number in 0..<4 {
                _ = try await run(site.store, "e\(number)", kind: "it's \"so\"", accuracy: Double(number))
            }
            _ = try await run(site.store, "nan", kind: "odd", accuracy: .nan)
            // PostgreSQL refuses to add these up as they are.
            for _ in 0..<2 { _ = try await run(site.store, "big", kind: "big", accuracy: 1.5e308) }
            _ = try await run(site.store, "none")
            let path =
                "/console/data/groups?experiment=0&by=params.kind&columns=\(percentEncoded("metrics.acc\nparams.x"))"
            let groups = try await site.get(path)
            #expect(groups.status == 200)
            #expect(
                groups.text.contains(#"{"value":"it's \"so\"","runs":4,"cells":[[0.0,1.5,3.0]]}"#),
                "\(groups.text)"
            )
            #expect(groups.text.contains(#"{"value":"odd","runs":1,"cells":[null]}"#))
            #expect(groups.text.contains(#"{"value":"big","runs":2,"cells":[[1.5e+308,1.5e+308,1.5e+308]]}"#))
            #expect(groups.text.contains(#"{"runs":1,"cells":[null]}"#) && groups.text.contains(#""more":false"#))

            let value = percentEncoded("it's \"so\"")
            let rows = "\(Self.table)&rows=params.kind&by=params.kind"
            #expect(names(try await site.get("\(rows)&group=\(value)").text) == ["e0", "e1", "e2", "e3"])
            #expect(names(try await site.get("\(rows)&none=1").text) == ["none"])
            let filter = "&filter=\(percentEncoded("metrics.acc > 1"))"
            #expect(names(try await site.get("\(rows)&group=\(value)\(filter)").text) == ["e2", "e3"])
            #expect(try await site.get(path + filter).text.contains(#""runs":2,"cells":[[2.0,2.5,3.0]]"#))
            let byStatus = try await site.get("/console/data/groups?experiment=0&by=attributes.status")
            #expect(byStatus.text.contains(#""value":"RUNNING","runs":8"#))
            for bad in ["", "&by=metrics.acc", "&by=attributes.x", "&by=params.", "&by=params.a&filter=metrics."] {
                #expect(try await site.get("/console/data/groups?experiment=0\(bad)").status == 400, "\(bad)")
            }
        }
    }

    @Test func `there are at most a thousand groups, and the answer says so`() async throws {
        try await PageSite.with(.sqlite) { site in
            for number in 0...1_000 { _ = try await site.store.createRun(.init(experimentID: "0", name: "n\(number)")) }
            let groups = try await site.get("/console/data/groups?experiment=0&by=attributes.run_name").text
            #expect(groups.contains(#""more":true"#) && groups.split(separator: "\"runs\"").count == 1_001)
        }
    }

    // MARK: Filters

    @Test(arguments: [
        ("metrics.", 0, 8), ("metrics.acc > 'x'", 14, 17), ("a = 1 AND params.x > '1'", 0, 1),
        ("params.a = '1' AND params.x > '1'", 28, 29), ("params.é = '😀' AND params.b LIKE", 20, 33),
        ("metrics.a < 1; metrics.b < 2", 15, 22),
    ])
    func `a mistake in a filter has a place`(_ filter: String, _ from: Int, _ to: Int) async throws {
        try await PageSite.with(.sqlite) { site in
            let answer = try await site.get("/console/data/filter?filter=\(percentEncoded(filter))").text
            #expect(answer.contains(#""from":\#(from),"to":\#(to)}"#), "\(answer)")
            // The page says the same without a script.
            let page = try await site.get("/console/experiments/0?filter=\(percentEncoded(filter))").text
            #expect(page.contains("<span class=\"filter-mark\">"))
        }
    }

    @Test func `a good filter has no mistake, and one without a place is explained as well`() async throws {
        try await PageSite.with(.sqlite) { site in
            for good in ["", "metrics.a < 1", "params.`a b` = 'x' OR (tags.t IS NULL)"] {
                #expect(try await site.get("/console/data/filter?filter=\(percentEncoded(good))").text == "{}")
            }
            let long = percentEncoded("params.a LIKE '\(String(repeating: "x", count: 1_001))'")
            let page = try await site.get("/console/experiments/0?filter=\(long)")
            #expect(page.status == 200 && page.text.contains("A pattern can have at most 1000 bytes."))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `values are proposed, the most frequent first`(_ dialect: Dialect) async throws {
        try await PageSite.with(dialect) { site in
            for kind in ["b", "a", "b", "c"] { _ = try await run(site.store, "r", kind: kind) }
            let path = "/console/data/proposals?experiment=0&field="
            #expect(try await site.get("\(path)params.kind").text == #"{"values":["b","a","c"]}"#)
            #expect(try await site.get("\(path)attributes.run_name").text == #"{"values":["r"]}"#)
            #expect(try await site.get("\(path)params.none").text == #"{"values":[]}"#)
            #expect(try await site.get("\(path)metrics.acc").status == 400)
        }
    }

    // MARK: Curves, choices, views, names

    @Test(arguments: ApusFixture.dialects)
    func `a curve in a cell has few points`(_ dialect: Dialect) async throws {
        try await PageSite.with(dialect) { site in
            let id = try await run(site.store, "long")
            var batch = LogBatch(runID: id)
            batch.metrics = (0..<1_000).map {
                MetricPoint(key: "loss", value: $0 == 500 ? .nan : 1, timestamp: 1, step: Int64($0))
            }
            try await site.store.log(batch)
            let answer = try await site.get("/console/data/sparklines?key=loss&run=\(id)&run=none")
            #expect(answer.text.hasPrefix(#"{"curves":[{"run":"\#(id)","x":[0.0,"#))
            #expect(answer.text.utf8.count < 2_500 && !answer.text.contains("null"))
            let many = String(repeating: "&run=x", count: 101)
            #expect(try await site.get("/console/data/sparklines?key=loss\(many)").status == 400)
        }
    }

    @Test func `all that is found can be chosen, children too`() async throws {
        try await PageSite.with(.sqlite) { site in
            let root = try await run(site.store, "root")
            let child = try await run(site.store, "child", parent: root)
            let ids = try await site.get("/console/data/ids?experiment=0&rows=flat").text
            #expect(ids.contains(root) && ids.contains(child) && ids.contains(#""more":false"#))
        }
    }

    @Test func `a view is a tag of the experiment, and its link leads nowhere else`() async throws {
        try await PageSite.with(.sqlite) { site in
            _ = try await run(site.store, "r")
            let view = KeyValue(key: "apus.view.Best", value: "filter=metrics.acc+%3E+1&order=javascript:alert(1)")
            try await site.store.setExperimentTag(id: "0", view)
            try await site.store.setExperimentTag(
                id: "0",
                KeyValue(key: "apus.view.Odd", value: "//evil.example/%zz&&=&x")
            )
            let page = try await site.get("/console/experiments/0").text
            #expect(page.contains("href=\"console/experiments/0?filter=metrics.acc%20%3E%201&amp;order=javascript"))
            #expect(page.contains(">Best</a>") && !page.contains("href=\"//evil"))
            #expect(!(try await site.get("/console/experiments").text.contains("apus.view")))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `names are found whatever characters they have`(_ dialect: Dialect) async throws {
        try await PageSite.with(dialect) { site in
            for name in ["it's", "100%", #"a\b"#, "wow!", "under_score"] {
                _ = try await site.store.createExperiment(name: name, artifactLocation: "", tags: [])
                _ = try await run(site.store, "run \(name)")
            }
            for part in ["T's", "0%", #"\"#, "w!", "R_S"] {
                let found = try await site.get("/console/experiments?name=\(percentEncoded(part))").text
                #expect(found.split(separator: "<tr>").count == 3, "\(part)")
                let jump = try await site.get("/console/data/find?text=\(percentEncoded(part))").text
                #expect(jump.split(separator: "\"kind\"").count == 3, "\(part): \(jump)")
            }
            #expect(try await site.get("/console/experiments?name=nothing").text.contains("None has a name"))
        }
    }
}
