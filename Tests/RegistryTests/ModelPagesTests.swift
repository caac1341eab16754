import ApusConsole
import ApusDatabase
import ApusGateway
import ApusKernel
import ApusLedger
import ApusTesting
import ApusVault
import Hummingbird
import HummingbirdTesting
import NIOCore
import Registry
import Testing
import Tracking

/// The pages of registered models and their versions.
@Suite struct ModelPagesTests {
    private struct Site: Sendable {
        let store: RegistryStore
        let tracking: TrackingStore
        let artifacts: ArtifactStore
        let client: any TestClientProtocol

        func get(_ path: String) async throws -> (status: Int, text: String) {
            try await client.execute(uri: path, method: .get, headers: [:]) { response in
                (response.status.code, String(buffer: response.body))
            }
        }

        func text(_ path: String) async throws -> String {
            let page = try await get(path)
            #expect(page.status == 200, "\(path)")
            return page.text
        }

        /// A run with a model file, registered as the next version of `name`.
        func version(_ name: String, depth: String, accuracy: Double, file: String?) async throws -> ModelVersion {
            let run = try await tracking.createRun(.init(experimentID: "0", name: "run \(depth)", startTime: 1))
            let id = run.info.id.rawValue
            var batch = LogBatch(runID: id)
            batch.params = [KeyValue(key: "depth", value: depth), KeyValue(key: "same", value: "x")]
            batch.metrics = [MetricPoint(key: "acc", value: accuracy, timestamp: 1, step: 0)]
            try await tracking.log(batch)
            let source = try await tracking.run(id: id).info.artifactURI + "/model"
            if let file {
                let key = try ArtifactService(artifacts: artifacts, ledger: store.ledger).key("MLmodel", below: source)
                try await artifacts.write(Once(ByteBuffer(string: file)), at: key)
            }
            return try await store.createVersion(NewModelVersion(name: name, source: source, runID: id))
        }
    }

    /// One buffer, as a body.
    private struct Once: AsyncSequence, AsyncIteratorProtocol, Sendable {
        private var buffer: ByteBuffer?
        init(_ buffer: ByteBuffer) { self.buffer = buffer }
        func makeAsyncIterator() -> Once { self }
        mutating func next() async throws -> ByteBuffer? {
            defer { buffer = nil }
            return buffer
        }
    }

    private func with(
        _ dialect: Dialect = .sqlite,
        _ body: @escaping @Sendable (Site) async throws -> Void
    ) async throws {
        let migrations = TrackingCapability.migrations + RegistryCapability.migrations
        try await ApusFixture.with(dialect, migrations: migrations) { base async throws in
            let tracking = TrackingStore(database: base.database, ledger: base.ledger, clock: base.clock)
            try await tracking.prepare()
            let store = RegistryStore(
                database: base.database,
                ledger: base.ledger,
                clock: base.clock,
                runs: tracking,
                loggedModels: KnownLoggedModels(run: ""),
                sources: try SourcePolicy()
            )
            let pages = RegistryPages(
                console: Console(prefix: "", version: "0", changes: base.ledger.changes),
                store: store,
                artifacts: ArtifactService(artifacts: base.artifacts, ledger: base.ledger),
                origins: tracking
            )
            let responder = GatewayResponder(routes: pages.routes, configuration: .init(logger: base.logger))
            try await Application(responder: responder, logger: base.logger).test(.router) { client in
                try await body(Site(store: store, tracking: tracking, artifacts: base.artifacts, client: client))
            }
        }
    }

    private static let file = """
        flavors:
          python_function: {loader_module: mlflow.sklearn}
        signature:
          inputs: '[{"type":"integer","name":"age","required":true},{"type":"string","name":"it''s \\"<b>\\"","required":false}]'
          outputs: '[{"type":"tensor","tensor-spec":{"dtype":"float32","shape":[-1,2]}}]'
          params: '[{"name":"t","default":0.5,"shape":null,"type":"double"}]'
        """

    @Test(arguments: ApusFixture.dialects)
    func `a version shows its signature, files, and code that asks it`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            _ = try await site.store.createModel(name: "wine", description: "", tags: [])
            _ = try await site.version("wine", depth: "2", accuracy: 0.5, file: Self.file)
            let page = try await site.text("/console/models/wine/versions/1")
            #expect(page.contains("<code>age</code>") && page.contains("tensor(float32, [-1, 2])"))
            #expect(
                page.contains(
                    #"pd.DataFrame([{&quot;age&quot;: 0, &quot;it&#39;s \&quot;&lt;b&gt;\&quot;&quot;: &quot;text&quot;}])"#
                )
            )
            #expect(page.contains(#".astype({&quot;age&quot;: &quot;int32&quot;})"#))
            #expect(page.contains(#"params={&quot;t&quot;: 0.5}"#))
            #expect(page.contains("model-versions/get-artifact?name=wine&amp;version=1&amp;path=MLmodel"))
            #expect(page.contains(">run 2</a>"))
        }
    }

    @Test func `a version without a readable file still has a page`() async throws {
        try await with { site in
            _ = try await site.store.createModel(name: "wine", description: "", tags: [])
            _ = try await site.version("wine", depth: "1", accuracy: 0, file: nil)
            _ = try await site.version("wine", depth: "1", accuracy: 0, file: String(repeating: "[", count: 9_000))
            _ = try await site.store.createVersion(NewModelVersion(name: "wine", source: "s3://bucket/key"))
            for number in 1...3 {
                let page = try await site.text("/console/models/wine/versions/\(number)")
                #expect(page.contains("No signature") && page.contains("models:/wine/\(number)"))
                #expect(page.contains("The files are elsewhere") == (number == 3))
            }
            #expect(try await site.get("/console/models/wine/versions/4").status == 404)
            #expect(try await site.get("/console/models/wine/versions/x").status == 400)
            #expect(try await site.get("/console/models/none/compare").status == 404)
        }
    }

    @Test func `two versions are compared by what they came from`() async throws {
        try await with { site in
            _ = try await site.store.createModel(name: "wine", description: "", tags: [])
            #expect(try await site.text("/console/models/wine/compare").contains("nothing to compare"))
            _ = try await site.version("wine", depth: "2", accuracy: 0.5, file: Self.file)
            #expect(try await site.text("/console/models/wine/compare").contains("the same"))
            _ = try await site.version("wine", depth: "4", accuracy: 0.75, file: nil)
            let page = try await site.text("/console/models/wine/compare?a=1&b=2")
            #expect(page.contains("<tr class=\"diff-changed\"><th scope=\"row\">depth</th><td>2</td><td>4</td></tr>"))
            #expect(page.contains("<tr><th scope=\"row\">same</th>") && page.contains("+0.25"))
            #expect(page.contains("<th scope=\"row\">input age</th><td>integer</td><td></td>"))
            let some = try await site.text("/console/models/wine/compare?a=1&b=2&differ=1")
            #expect(some.contains(">depth<") && !some.contains(">same<"))
            for bad in ["a=9", "b=9"] {
                #expect(try await site.get("/console/models/wine/compare?\(bad)").status == 404)
            }
            #expect(try await site.get("/console/models/wine/compare?a=x").status == 400)
        }
    }

    @Test func `what is lost is named before it is deleted`() async throws {
        try await with { site in
            _ = try await site.store.createModel(name: "wine", description: "", tags: [])
            #expect(try await site.text("/console/models/wine").contains("It has no versions."))
            for _ in 0..<2 { _ = try await site.version("wine", depth: "1", accuracy: 0, file: nil) }
            try await site.store.setAlias("champion", of: "wine", version: "2")
            _ = try await site.store.moveVersion("2", of: "wine", to: "Production", archivesOthers: false)
            let model = try await site.text("/console/models/wine")
            #expect(model.contains("All 2 versions are lost") && model.contains("Its aliases are lost: @champion."))
            let version = try await site.text("/console/models/wine/versions/2")
            #expect(version.contains("@champion is lost: whoever loads models:/wine@champion gets an error"))
            #expect(version.contains("It is in Production"))
            let other = try await site.text("/console/models/wine/versions/1")
            #expect(!other.contains("champion is lost") && !other.contains("It is in Production"))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `a run's versions are told with their aliases`(_ dialect: Dialect) async throws {
        try await with(dialect) { site in
            for name in ["one", "two"] {
                _ = try await site.store.createModel(name: name, description: "", tags: [])
                _ = try await site.version(name, depth: "1", accuracy: 0, file: nil)
            }
            let version = try await site.store.version("1", of: "one")
            try await site.store.setAlias("champion", of: "one", version: "1")
            try await site.store.setAlias("other", of: "two", version: "1")
            let found = try await site.store.versions(ofRun: version.runID)
            #expect(found.map(\.name) == ["one"] && found.map(\.aliases) == [["champion"]])
            #expect(try await site.store.versions(ofRun: "a' OR 1 = 1").isEmpty)
        }
    }

    @Test func `hostile texts are only text`() async throws {
        try await with { site in
            let hostile = "<script>alert(1)</script>\"'&"
            let name = "m'\"&<b>"
            _ = try await site.store.createModel(
                name: name,
                description: "\(hostile) [a](javascript:alert(1))",
                tags: [KeyValue(key: "t", value: hostile)]
            )
            _ = try await site.version(name, depth: hostile, accuracy: 0, file: "flavors: {\"<script>\": {}}")
            _ = try await site.store.updateVersion("1", of: name, description: hostile)
            try await site.store.setVersionTag("1", of: name, KeyValue(key: "t", value: hostile))
            let path = "/console/models/\(percentEncoded(name))"
            for page in ["/console/models", path, "\(path)/versions/1", "\(path)/compare"] {
                let text = try await site.text(page)
                #expect(!text.contains("<script>") && !text.contains("<b>") && !text.contains("href=\"javascript"))
            }
        }
    }
}
