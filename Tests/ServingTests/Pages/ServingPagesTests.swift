import ApusConsole
import ApusDatabase
import ApusGateway
import ApusLedger
import ApusTesting
import Hummingbird
import HummingbirdTesting
import NIOCore
import Serving
import Testing

/// The pages of endpoints, empty, full and in between.
@Suite struct ServingPagesTests {
    struct Site: Sendable {
        let base: ApusFixture
        let catalog: FakeCatalog
        let history: TrafficHistory
        let log: InferenceLog
        let feedback: FeedbackStore
        let client: any TestClientProtocol

        func get(_ path: String) async throws -> (status: Int, text: String) {
            try await client.execute(uri: path, method: .get, headers: [:]) { response in
                (response.status.code, String(buffer: response.body))
            }
        }

        func text(_ path: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
            let page = try await get(path)
            #expect(page.status == 200, "\(path): \(page.text.suffix(400))", sourceLocation: sourceLocation)
            return page.text
        }

        /// A prediction, as endpoints tell of it.
        @discardableResult
        func observe(
            _ deployment: Deployment,
            error: (any Error)? = nil,
            milliseconds: UInt64 = 2,
            role: InferenceObservation.Role = .live
        ) throws -> PredictionID {
            let now = base.clock.milliseconds
            let id = PredictionID(milliseconds: now, deployment: UInt16(truncatingIfNeeded: deployment.number))
            let inputs = [try Tensor(name: "age", .fp64, shape: [1, 1], elements: [41.5])]
            let outputs = [try Tensor(name: "label", texts: ["<b>red</b>"])]
            let observation = InferenceObservation(
                id: id,
                endpoint: "wine",
                model: deployment.model,
                version: deployment.version,
                deployment: deployment.number,
                role: role,
                request: InferenceRequest(inputs: inputs),
                outcome: error.map { .failure($0) }
                    ?? .success(InferenceResponse(modelName: "wine", modelVersion: "1", outputs: outputs)),
                milliseconds: now,
                nanoseconds: milliseconds * 1_000_000
            )
            history.observe(observation)
            InferenceRecorder(log: log).observe(observation)
            return id
        }
    }

    static func with(
        _ dialect: Dialect = .sqlite,
        _ body: @escaping @Sendable (Site) async throws -> Void
    ) async throws {
        let migrations = LogPolicyStore.migrations + FeedbackStore.migrations
        try await ApusFixture.with(dialect, migrations: migrations) { base async throws in
            let catalog = FakeCatalog()
            let history = TrafficHistory(clock: base.clock)
            let log = InferenceLog(folder: "\(base.folder)/log", clock: base.clock, logger: base.logger)
            let feedback = FeedbackStore(database: base.database, clock: base.clock)
            let policies = LogPolicyStore(database: base.database, ledger: base.ledger, clock: base.clock)
            let pages = ServingPages(
                console: Console(prefix: "", version: "0", changes: base.ledger.changes),
                catalog: catalog,
                history: history,
                log: log,
                policies: policies,
                feedback: feedback,
                clock: base.clock,
                grpc: "127.0.0.1:8001"
            )
            let api = PredictionRoutes(
                log: log,
                recorder: InferenceRecorder(log: log),
                policies: policies,
                feedback: feedback,
                endpoints: catalog
            )
            let responder = GatewayResponder(
                routes: pages.routes + api.routes,
                configuration: .init(staticPrefix: "/ml", logger: base.logger)
            )
            do {
                try await Application(responder: responder, logger: base.logger).test(.router) { client in
                    let site = Site(
                        base: base,
                        catalog: catalog,
                        history: history,
                        log: log,
                        feedback: feedback,
                        client: client
                    )
                    try await body(site)
                }
            } catch {
                await log.close()
                throw error
            }
            await log.close()
        }
    }

    static func deployment(_ number: Int64, _ version: String) -> Deployment {
        Deployment(
            number: number,
            model: "wine-model",
            version: version,
            source: "models:/wine-model/\(version)",
            location: "0/x",
            settings: DeploymentSettings(),
            created: 1_700_000_000_000
        )
    }

    static let first = deployment(1, "3")
    static let second = deployment(2, "4")

    /// An endpoint with a version, and another on its way by `kind`.
    static func endpoint(_ kind: Strategy.Kind? = nil, phase: Rollout.Phase = .running) -> Endpoint {
        var endpoint = Endpoint(
            id: 1,
            name: "wine",
            spec: EndpointSpec(),
            revision: 2,
            created: 1_700_000_000_000,
            updated: 1_700_000_000_000
        )
        endpoint.spec.stable = 1
        endpoint.deployments = [1: first, 2: second]
        guard let kind else { return endpoint }
        var rollout = Rollout(
            strategy: Strategy(kind),
            candidate: 2,
            stable: 1,
            now: 1_700_000_000_000,
            actor: "ada",
            reason: "a <better> one"
        )
        rollout.phase = phase
        if phase != .loading {
            rollout.shares = RolloutMachine.shares(rollout.strategy, instances: 4)
            if let share = rollout.shares.first { rollout.candidates[0].share = share }
            var arms = (ArmSummary(), ArmSummary())
            for _ in 0..<200 { arms.0.answered(2_000_000) }
            for _ in 0..<20 { arms.1.answered(4_000_000) }
            arms.1.failed()
            rollout.evidence.arms = [1: arms.0, 2: arms.1]
            rollout.evidence.errors = RatioTest(tolerated: 1.1)
            rollout.evidence.slow = RatioTest(tolerated: 1.5)
        }
        endpoint.rollout = rollout
        return endpoint
    }

    static let ready = [ModelListing(name: "wine", version: "3", state: .ready)]

    static let table = ModelMetadata(
        platform: "onnxruntime_onnx",
        inputs: [
            .init(name: "age", datatype: .fp64, shape: [-1, 1]),
            .init(name: "it's \"x\"", datatype: .bytes, shape: [-1, 1]),
            .init(name: "old", datatype: .bool, shape: [-1, 1], isOptional: true),
        ],
        outputs: [.init(name: "label", datatype: .bytes, shape: [-1])],
        maximumBatchSize: 64,
        isTable: true
    )

    // MARK: The list

    @Test func `without endpoints the list says how to make one`() async throws {
        try await Self.with { site in
            let text = try await site.text("/console/endpoints")
            #expect(text.contains("No endpoints"))
            #expect(text.contains("apus endpoints create"))
            #expect(text.contains(#"<a href="console/endpoints" aria-current="page">Endpoints</a>"#))
        }
    }

    @Test func `the list shows state, shares, rates and latencies of the last minute`() async throws {
        try await Self.with { site in
            site.catalog.set(Self.endpoint(.canary), Self.ready)
            for number in 0..<30 {
                try site.observe(Self.first, error: number == 0 ? ServingError.invalid("no") : nil)
                site.base.clock.advance(milliseconds: 100)
            }
            site.base.clock.advance(milliseconds: 2_000)
            let text = try await site.text("/console/endpoints")
            #expect(text.contains(#"<span class="badge badge-good">ready</span>"#))
            #expect(text.contains("wine-model 3: 95 %"))
            #expect(text.contains("wine-model 4: 5 %"))
            #expect(text.contains(#"<td class="number">0.5</td>"#), "30 requests in a minute")
            #expect(text.contains("3.33 %"))
        }
    }

    @Test(
        arguments: [
            (nil, [ModelListing(name: "wine", version: "3", state: .unavailable, reason: "no <file>")], "unavailable"),
            (nil, [ModelListing(name: "wine", version: "3", state: .loading)], "loading"),
            (nil, ServingPagesTests.ready, "ready"),
        ] as [(Strategy.Kind?, [ModelListing], String)]
    )
    func `the state is that of the stable version`(
        _ kind: Strategy.Kind?,
        _ listings: [ModelListing],
        _ word: String
    ) async throws {
        try await Self.with { site in
            site.catalog.set(Self.endpoint(kind), listings)
            let text = try await site.text("/console/endpoints")
            #expect(text.contains(">\(word)</span>"))
            #expect(!text.contains("<file>"))
        }
    }

    // MARK: One endpoint

    @Test(arguments: Strategy.Kind.allCases, [Rollout.Phase.loading, .running, .ready, .promoted, .aborted])
    func `a rollout is a picture with the buttons that its phase allows`(
        _ kind: Strategy.Kind,
        _ phase: Rollout.Phase
    ) async throws {
        try await Self.with { site in
            var endpoint = Self.endpoint(kind, phase: phase)
            let isOver = phase == .promoted || phase == .aborted
            if isOver {
                endpoint.lastRollout = endpoint.rollout
                endpoint.lastRollout?.outcome = "It <was> so."
                endpoint.rollout = nil
            }
            site.catalog.set(endpoint, Self.ready)
            let text = try await site.text("/console/endpoints/wine")
            #expect(text.contains(isOver ? "Last rollout" : "<h2>Rollout</h2>"))
            #expect(text.contains("a &lt;better&gt; one"))
            #expect(text.contains("step-now") == !isOver)
            #expect(text.contains("step-bad") == (phase == .aborted))
            #expect(text.contains("Abort…") == !isOver)
            #expect(text.contains("Promote…") == (phase == .running || phase == .ready))
            #expect(text.contains("It &lt;was&gt; so.") == isOver)
            #expect(!text.contains("<better>") && !text.contains("<was>"))
        }
    }

    @Test func `buttons say what they affect before they act`() async throws {
        try await Self.with { site in
            site.catalog.set(Self.endpoint(.canary), Self.ready)
            let text = try await site.text("/console/endpoints/wine")
            #expect(text.contains("Promote wine-model 4 on wine?"))
            #expect(text.contains("in place of 5 % of them"))
            #expect(text.contains("wine-model 3 is unloaded once its requests are answered."))
            #expect(text.contains("The steps and checks that are left are skipped."))
            #expect(text.contains("ajax-api/v1/endpoints/wine/promote"))
            #expect(text.contains("wine-model 3 answers all requests from now on."))
            #expect(text.contains("ajax-api/v1/endpoints/wine/abort"))
            #expect(!text.contains("Roll back…"))
        }
    }

    @Test func `a settled endpoint goes back to the state before`() async throws {
        try await Self.with { site in
            func revision(_ number: Int64, _ stable: Int64) -> EndpointRevision {
                var spec = EndpointSpec()
                spec.stable = stable
                return EndpointRevision(
                    revision: number,
                    spec: spec,
                    action: "endpoint.promoted",
                    actor: "ada",
                    reason: "because <i>",
                    time: 1_700_000_000_000
                )
            }
            site.catalog.set(Self.endpoint(), Self.ready, revisions: [revision(2, 1), revision(1, 2)])
            let text = try await site.text("/console/endpoints/wine")
            #expect(text.contains("Roll wine back to wine-model 4?"))
            #expect(text.contains("ajax-api/v1/endpoints/wine/rollback"))
            #expect(text.contains("because &lt;i&gt;"))
            site.catalog.set(Self.endpoint(), Self.ready, revisions: [revision(2, 1)])
            #expect(!(try await site.text("/console/endpoints/wine")).contains("Roll back…"))
        }
    }

    @Test func `a canary shows its figures and guards, an A/B test its differences, a shadow its agreement`()
        async throws
    {
        try await Self.with { site in
            site.catalog.set(Self.endpoint(.canary), Self.ready)
            let canary = try await site.text("/console/endpoints/wine")
            #expect(canary.contains("What ends the rollout"))
            #expect(canary.contains("4.76 %"), "1 of 21 failed")
            #expect(canary.contains("no difference is established yet"))
            var test = Self.endpoint(.ab)
            for _ in 0..<400 {
                test.rollout?.evidence.arms[1]?.reward(0)
                test.rollout?.evidence.arms[2]?.reward(1)
            }
            site.catalog.set(test, Self.ready)
            let report = try await site.text("/console/endpoints/wine")
            #expect(report.contains("higher reward"))
            #expect(!report.contains("What ends the rollout"))
            var shadow = Self.endpoint(.shadow)
            var summary = ShadowSummary()
            summary.compared = 40
            summary.agreed = 39
            shadow.rollout?.evidence.shadow = summary
            site.catalog.set(shadow, Self.ready)
            let agreement = try await site.text("/console/endpoints/wine")
            #expect(agreement.contains("97.5 %"))
            #expect(agreement.contains("100 % mirrored"))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `feedback is summed up by version`(_ dialect: Dialect) async throws {
        try await Self.with(dialect) { site in
            site.catalog.set(Self.endpoint(.canary), Self.ready)
            let id = PredictionID(milliseconds: site.base.clock.milliseconds, deployment: 2)
            let feedback = [
                Feedback(prediction: id, metric: "clicks", value: 3, observed: 1),
                Feedback(prediction: id, metric: "ground_truth", value: nil, text: "\"<x>\"", observed: 1),
            ]
            try await site.feedback.add(feedback, endpoint: "wine")
            let text = try await site.text("/console/endpoints/wine")
            #expect(text.contains("<code>clicks</code>"))
            #expect(text.contains("texts, or older"))
        }
    }

    @Test func `an endpoint that is not there is a page that says so`() async throws {
        try await Self.with { site in
            for path in ["", "/try", "/predictions", "/predictions/00000000000000000000000000000000"] {
                let page = try await site.get("/console/endpoints/none\(path)")
                #expect(page.status == 404)
                #expect(page.text.contains("does not exist"))
            }
        }
    }

    // MARK: Trying

    @Test func `the form and the code are made from what the model takes`() async throws {
        try await Self.with { site in
            site.catalog.set(Self.endpoint(), Self.ready, metadata: Self.table)
            let text = try await site.text("/console/endpoints/wine/try")
            #expect(text.contains(#"data-field="age" data-kind="number" data-datatype="FP64" data-shape="[-1, 1]""#))
            #expect(text.contains(#"data-field="it&#39;s &quot;x&quot;" data-kind="text""#))
            #expect(text.contains("may be left out"))
            #expect(text.contains("tritonclient.grpc as triton"))
            #expect(text.contains("127.0.0.1:8001"))
            #expect(text.contains("get_deploy_client"))
            #expect(text.contains("X-Apus-Prediction-Id"))
            // Behind a prefix too.
            #expect(text.contains("/ml/endpoints/wine/invocations"))
        }
    }

    @Test func `a model that says nothing, or takes too much, is asked by a whole request`() async throws {
        try await Self.with { site in
            let silent = ModelMetadata(platform: "python", inputs: [], outputs: [], maximumBatchSize: 0)
            let large = ModelMetadata(
                platform: "onnxruntime_onnx",
                inputs: [.init(name: "image", datatype: .fp32, shape: [-1, 3, 224, 224])],
                outputs: [],
                maximumBatchSize: 0
            )
            for metadata in [silent, large] {
                site.catalog.set(Self.endpoint(), Self.ready, metadata: metadata)
                let text = try await site.text("/console/endpoints/wine/try")
                #expect(text.contains(#"data-kind="body""#))
                #expect(text.utf8.count < 100_000)
            }
            site.catalog.set(Self.endpoint(), [ModelListing(name: "wine", version: "3", state: .loading)])
            #expect(try await site.text("/console/endpoints/wine/try").contains("No version is loaded"))
        }
    }

    // MARK: Predictions

    @Test func `predictions are listed, told one by one, and escaped`() async throws {
        try await Self.with { site in
            site.catalog.set(Self.endpoint(), Self.ready)
            #expect(try await site.text("/console/endpoints/wine/predictions").contains("No predictions"))
            let id = try site.observe(Self.first)
            try site.observe(Self.first, error: ServingError.invalid("Input '<script>' is missing."))
            await site.log.flush()
            let list = try await site.text("/console/endpoints/wine/predictions")
            #expect(list.contains("age [41.5]"))
            #expect(list.contains("label [“&lt;b&gt;red&lt;/b&gt;”]"))
            #expect(list.contains("invalid_parameter_value"))
            #expect(!list.contains("<script>' is"))
            let errors = try await site.text("/console/endpoints/wine/predictions?status=error")
            #expect(errors.contains("invalid_parameter_value") && !errors.contains("badge-good\">ok"))
            try await site.feedback.add(
                [Feedback(prediction: id, metric: "ground_truth", value: nil, text: "\"<red>\"", observed: 1)],
                endpoint: "wine"
            )
            let one = try await site.text("/console/endpoints/wine/predictions/\(id)")
            #expect(one.contains("as part of the sample"))
            #expect(one.contains("&quot;&lt;red&gt;&quot;"))
            let gone = PredictionID(milliseconds: 5, deployment: 1)
            #expect(try await site.get("/console/endpoints/wine/predictions/\(gone)").status == 404)
            #expect(try await site.get("/console/endpoints/wine/predictions/x").status == 400)
            #expect(try await site.get("/console/endpoints/wine/predictions?page=x").status == 400)
        }
    }

    // MARK: The charts' data

    @Test func `charts get counts and latencies by version and step`() async throws {
        try await Self.with { site in
            site.catalog.set(Self.endpoint(.shadow), Self.ready)
            for _ in 0..<10 { try site.observe(Self.first) }
            try site.observe(Self.first, error: ServingError.invalid("no"))
            try site.observe(Self.second, milliseconds: 40, role: .shadow)
            site.base.clock.advance(milliseconds: 30_000)
            for window in ["5m", "1h"] {
                let text = try await site.text("/console/data/endpoints/wine/traffic?window=\(window)")
                #expect(text.contains(#""version":"3","is_shadow":false"#))
                #expect(text.contains(#""version":"4","is_shadow":true"#))
                #expect(text.contains(",11,") || text.contains("[11,") || text.contains(",11]"))
            }
            #expect(try await site.get("/console/data/endpoints/wine/traffic?window=2y").status == 400)
            #expect(try await site.get("/console/data/endpoints/none/traffic").status == 404)
            let (_, series) = site.history.series(of: "wine", .minutes)
            let point = try #require(series.first?.points.first { $0.requests > 0 })
            #expect(point.errors == 1)
            // The buckets are a fifth apart.
            #expect(abs((point.p50 ?? 0) - 2) < 0.4)
            #expect(abs((series.last?.points.first { $0.requests > 0 }?.p99 ?? 0) - 40) < 8)
            site.base.clock.advance(milliseconds: 3_700_000)
            #expect(site.history.series(of: "wine", .hour).series.isEmpty)
        }
    }

    // MARK: The API of the log

    @Test(arguments: ApusFixture.dialects)
    func `predictions are read by the API, with feedback, and what is logged is changed`(_ dialect: Dialect)
        async throws
    {
        try await Self.with(dialect) { site in
            site.catalog.set(Self.endpoint(), Self.ready)
            let id = try site.observe(Self.first)
            try site.observe(Self.first, error: ServingError.invalid("no"))
            await site.log.flush()
            let path = "/api/v1/endpoints/wine"
            let list = try await site.text("\(path)/predictions?limit=1")
            #expect(list.contains(#""status":"error""#) && list.contains("next_page_token"))
            let ok = try await site.text("\(path)/predictions?status=ok")
            #expect(ok.contains(#""data":[41.5]"#) && !ok.contains(#""status":"error""#))
            try await site.feedback.add(
                [Feedback(prediction: id, metric: "reward", value: 1, observed: 1)],
                endpoint: "wine"
            )
            let one = try await site.text("\(path)/predictions/\(id)")
            #expect(one.contains(#""feedback":{"reward":1.0}"#))
            for bad in ["?limit=0", "?limit=x", "?status=maybe", "?page_token=zz", "?from=x"] {
                #expect(try await site.get("\(path)/predictions\(bad)").status == 400, "\(bad)")
            }
            #expect(try await site.get("/api/v1/endpoints/none/predictions").status == 404)
            #expect(try await site.get("\(path)/predictions/x").status == 400)
            let put: @Sendable (String) async throws -> (Int, String) = { body in
                try await site.client.execute(
                    uri: "\(path)/logging",
                    method: .put,
                    headers: [.contentType: "application/json"],
                    body: ByteBuffer(string: body)
                ) { (Int($0.status.code), String(buffer: $0.body)) }
            }
            let (status, answer) = try await put(
                #"{"rate": "0.25", "slower_than_ms": 80, "errors": "true", "reason": "less"}"#
            )
            #expect(status == 200, "\(answer)")
            #expect(try await site.text("\(path)/logging") == answer)
            #expect(answer.contains(#""rate":0.25"#) && answer.contains(#""slower_than_ms":80.0"#))
            #expect(try await put(#"{"rate": 2}"#).0 == 400)
            #expect(try await put(#"{"slower_than_ms": "off"}"#).1.contains("slower_than_ms") == false)
            try await site.base.ledger.seal()
            let events = try await site.base.ledger.events(after: 0, limit: 10).map(\.event)
            #expect(events.map(\.action) == ["endpoint.logging_changed", "endpoint.logging_changed"])
            #expect(events.first?.payload.contains("less") == true)
        }
    }
}
