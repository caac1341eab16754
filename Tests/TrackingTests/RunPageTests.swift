import ApusConsole
import ApusDatabase
import ApusGateway
import ApusKernel
import ApusLedger
import ApusTesting
import Hummingbird
import HummingbirdTesting
import Testing
import Tracking

private struct OneVersion: RegisteredVersions {
    func versions(ofRun id: String) async throws -> [RegisteredVersion] {
        [RegisteredVersion(name: "wine", version: "3", aliases: ["champion"])]
    }
}

/// What the pages of one run show and offer.
@Suite struct RunPageTests {
    private struct Site: Sendable {
        let store: TrackingStore
        let client: any TestClientProtocol

        func text(_ path: String) async throws -> String {
            try await client.execute(uri: path, method: .get, headers: [:]) { response in
                #expect(response.status == .ok, "\(path)")
                return String(buffer: response.body)
            }
        }

        func run(_ name: String, tags: [(String, String)] = []) async throws -> String {
            let run = try await store.createRun(.init(experimentID: "0", name: name, startTime: 1_000))
            let id = run.info.id.rawValue
            for (key, value) in tags { try await store.setTag(run: id, KeyValue(key: key, value: value)) }
            return id
        }
    }

    private func with(
        _ dialect: Dialect = .sqlite,
        _ body: @escaping @Sendable (Site) async throws -> Void
    ) async throws {
        try await ApusFixture.with(dialect, migrations: TrackingCapability.migrations) { base async throws in
            let store = TrackingStore(database: base.database, ledger: base.ledger, clock: base.clock)
            try await store.prepare()
            let capability = TrackingCapability(store: store, artifacts: base.artifacts)
            let console = Console(prefix: "", version: "0", changes: base.ledger.changes)
            let responder = GatewayResponder(
                routes: capability.pages(on: console, registered: OneVersion()),
                configuration: .init(logger: base.logger)
            )
            try await Application(responder: responder, logger: base.logger).test(.router) { client in
                try await body(Site(store: store, client: client))
            }
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a run tells what it came from and what came of it`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            let parent = try await site.run("the parent")
            let id = try await site.run(
                "the run",
                tags: [
                    ("mlflow.parentRunId", parent), ("mlflow.source.git.commit", "0123456789abcdef"),
                    ("mlflow.source.git.repoURL", "https://git.example/wine"), ("mlflow.source.name", "src/train.py"),
                ]
            )
            for number in 0..<22 { _ = try await site.run("child \(number)", tags: [("mlflow.parentRunId", id)]) }
            let page = try await site.text("/console/runs/\(id)")
            #expect(page.contains("Below <a href=\"console/runs/\(parent)\">the parent</a>"))
            #expect(
                page.contains(
                    "<a href=\"https://git.example/wine\" rel=\"noopener noreferrer nofollow\"><code>0123456789"
                )
            )
            #expect(page.contains(">train.py<"))
            #expect(page.contains(">child 21<") && page.contains(">child 2<") && !page.contains(">child 1<"))
            #expect(page.contains("All runs below"))
            #expect(
                page.contains(
                    "<a href=\"console/models/wine/versions/3\">wine, version 3</a><span class=\"alias\">champion</span>"
                )
            )
            let above = try await site.text("/console/runs/\(parent)")
            #expect(above.contains(">the run</a>") && !above.contains("All runs below"))
        }
    }

    @Test func `a page costs a fixed number of statements, and runs below are found by an index`() async throws {
        try await with { site in
            let id = try await site.run("r")
            for number in 0..<3 { _ = try await site.run("child \(number)", tags: [("mlflow.parentRunId", id)]) }
            let run = try await site.store.run(id: id)
            let trace = StatementTrace()
            let lineage = try await StatementTrace.$current.withValue(trace) { try await site.store.lineage(of: run) }
            #expect(lineage.children.map(\.name) == ["child 2", "child 1", "child 0"])
            #expect(trace.statements.count == 1)
            let statement = try #require(trace.statements.first)
            let plan = try await site.store.database.read { transaction in
                try transaction.query("EXPLAIN QUERY PLAN \(statement.sql)", statement.values) { $0.text(3) }
            }
            #expect(plan.contains { $0.contains("tags_by_parent") }, "\(plan)")
            #expect(!plan.contains { $0.contains("SCAN") || $0.contains("TEMP B-TREE") }, "\(plan)")
        }
    }

    @Test(arguments: [
        "javascript:alert(1)", "git@git.example:wine.git", "https://git.example/\"onclick=\"x", "data:text/html,x",
        "//x",
    ])
    func `an address that is none of the web's is a text`(_ address: String) async throws {
        try await with { site in
            let id = try await site.run("r", tags: [("mlflow.source.git.repoURL", address)])
            let page = try await site.text("/console/runs/\(id)")
            for link in page.split(separator: "href=\"").dropFirst() {
                let scheme = link.prefix { $0 != "\"" }.split(separator: ":").first ?? ""
                #expect(!["javascript", "data", "git@git.example"].contains(scheme))
            }
            #expect(!page.contains("href=\"//x") && !page.contains("\"onclick=\""))
        }
    }

    @Test func `a parent of any length is kept, and one that is no more is told`() async throws {
        for dialect in ApusFixture.dialects {
            try await with(dialect) { site in
                let id = try await site.run("r", tags: [("mlflow.parentRunId", String(repeating: "é", count: 5_000))])
                #expect(try await site.text("/console/runs/\(id)").contains("Below <code>éé"))
            }
        }
    }

    @Test func `metrics of the machine stand apart`() async throws {
        try await with { site in
            let id = try await site.run("r")
            let none = try await site.text("/console/runs/\(id)/system")
            #expect(none.contains("mlflow.enable_system_metrics_logging()"))
            var batch = LogBatch(runID: id)
            batch.metrics = ["loss", "system/cpu"].map { MetricPoint(key: $0, value: 1, timestamp: 1, step: 0) }
            try await site.store.log(batch)
            let overview = try await site.text("/console/runs/\(id)")
            #expect(overview.contains("data-name=\"loss\"") && !overview.contains("system/cpu"))
            let charts = try await site.text("/console/runs/\(id)/charts")
            #expect(charts.contains("<li>loss</li>") && !charts.contains("system/cpu"))
            let system = try await site.text("/console/runs/\(id)/system")
            #expect(system.contains("<li>system/cpu</li>") && !system.contains("<li>loss</li>"))
        }
    }

    @Test func `datasets show their columns, and hostile ones only text`() async throws {
        try await with { site in
            let id = try await site.run("r")
            func dataset(_ name: String, _ schema: String?, source: String = "{}") -> DatasetInput {
                DatasetInput(
                    name: name,
                    digest: "d'\(name)",
                    sourceType: "http",
                    source: source,
                    schema: schema,
                    profile: #"{"num_rows":1500,"num_elements":7}"#,
                    tags: [KeyValue(key: "mlflow.data.context", value: "training")]
                )
            }
            let columns = (0..<6).map { #"{"name":"c\#($0)","type":"double"}"# }.joined(separator: ",")
            let tensors =
                #"{"mlflow_tensorspec":{"features":"[{\"type\":\"tensor\",\"tensor-spec\":{\"dtype\":\"int8\",\"shape\":[-1,3]}}]"}}"#
            try await site.store.logInputs(
                run: id,
                datasets: [
                    dataset(
                        "few",
                        #"{"mlflow_colspec":[{"name":"<b>","type":"string"}]}"#,
                        source: #"{"url":"https://d.example/x"}"#
                    ),
                    dataset("many", #"{"mlflow_colspec":[\#(columns)]}"#, source: #"{"uri":"javascript:alert(1)"}"#),
                    dataset("tensors", tensors), dataset("broken", "[[[", source: "<script>"), dataset("none", nil),
                ],
                models: []
            )
            let page = try await site.text("/console/runs/\(id)")
            #expect(page.contains("<code>&lt;b&gt;</code>") && page.contains("6 columns"))
            #expect(page.contains("tensor(int8, [-1, 3])"))
            #expect(page.contains("1\u{202F}500 rows, 7 elements"))
            #expect(page.contains("href=\"https://d.example/x\"") && !page.contains("href=\"javascript"))
            #expect(page.contains("badge-accent\">training<") && !page.contains("<script>"))
        }
    }

    @Test func `a deleted run is restored and not changed`() async throws {
        try await with { site in
            let id = try await site.run("r", tags: [("mlflow.note.content", "*so* <script>"), ("a", "b")])
            let active = try await site.text("/console/runs/\(id)")
            #expect(active.contains("<em>so</em> &lt;script&gt;") && active.contains("data-edit-open"))
            #expect(active.contains("runs/delete") && !active.contains("runs/restore"))
            try await site.store.moveRun(id: id, to: .deleted)
            let deleted = try await site.text("/console/runs/\(id)")
            #expect(deleted.contains("<em>so</em>") && deleted.contains("runs/restore"))
            #expect(!deleted.contains("data-edit-open") && !deleted.contains("runs/delete"))
        }
    }
}
