package import ApusConsole
package import ApusGateway
import ApusJSON
package import ApusKernel
import HTTPTypes

/// The pages of endpoints.
package struct ServingPages {
    private let console: Console
    private let catalog: any EndpointCatalog
    private let history: TrafficHistory
    private let log: InferenceLog
    private let policies: LogPolicyStore
    private let feedback: FeedbackStore
    private let clock: any WallClock
    private let grpc: String?

    private static let feedbackDays: Int64 = 7

    /// Makes the pages; `grpc` is where gRPC listens, such as `127.0.0.1:8001`, or nil when it does not.
    package init(
        console: Console,
        catalog: any EndpointCatalog,
        history: TrafficHistory,
        log: InferenceLog,
        policies: LogPolicyStore,
        feedback: FeedbackStore,
        clock: any WallClock = SystemWallClock(),
        grpc: String? = nil
    ) {
        self.console = console
        self.catalog = catalog
        self.history = history
        self.log = log
        self.policies = policies
        self.feedback = feedback
        self.clock = clock
        self.grpc = grpc
    }

    package var routes: [Route] {
        [
            console.page(ServingPage.endpoints.pattern, .read(.endpoint), endpoints),
            console.page(ServingPage.endpoint("").pattern, .read(.endpoint), endpoint),
            console.page(ServingPage.attempt("").pattern, .read(.endpoint), attempt),
            console.page(ServingPage.predictions("").pattern, .read(.endpoint), predictions),
            console.page(ServingPage.prediction("", "").pattern, .read(.endpoint), prediction),
            Route(.get, ServingPage.trafficPattern, .root, .read(.endpoint), traffic),
        ]
    }

    // MARK: Pages

    private func endpoints(_ request: GatewayRequest) async throws -> ConsolePage {
        let listings = catalog.listings
        let rows = try await catalog.endpoints().map { endpoint in
            EndpointsPage.Row(
                endpoint: endpoint,
                state: EndpointState(endpoint, listings.filter { $0.name == endpoint.name }),
                minute: minute(of: endpoint.name)
            )
        }
        return EndpointsPage(rows: rows).page
    }

    private func endpoint(_ request: GatewayRequest) async throws -> ConsolePage {
        let (endpoint, state, listings) = try await found(request)
        let revisions = try await catalog.revisions(of: endpoint.name, limit: 20)
        var numbers = Set(endpoint.deployments.keys)
        for revision in revisions { if let stable = revision.spec.stable { numbers.insert(stable) } }
        let deployments = try await catalog.deployments(numbers, of: endpoint)
            .merging(endpoint.deployments) { _, present in present }
        return EndpointPage(
            endpoint: endpoint,
            state: state,
            listings: listings,
            minute: minute(of: endpoint.name),
            revisions: revisions,
            deployments: deployments,
            feedback: try await figures(endpoint.name, deployments)
        ).page
    }

    private func attempt(_ request: GatewayRequest) async throws -> ConsolePage {
        let (endpoint, state, _) = try await found(request)
        return TryPage(
            endpoint: endpoint,
            state: state,
            // While nothing is loaded there is nothing to ask, which the page says.
            metadata: try? catalog.servable(endpoint.name, version: nil).metadata,
            address: request.address,
            grpc: grpc
        ).page
    }

    private func predictions(_ request: GatewayRequest) async throws -> ConsolePage {
        let (endpoint, state, _) = try await found(request)
        let isErrors = request.queryValue("status") == "error"
        let token = request.queryValue("page") ?? ""
        let page = try await log.page(endpoint: endpoint.name, limit: 50, pageToken: token) { record in
            !isErrors || !record.errorCode.isEmpty
        }
        return PredictionsPage(
            endpoint: endpoint,
            state: state,
            records: page.records,
            nextToken: page.nextToken,
            isErrors: isErrors,
            isOlder: !token.isEmpty,
            policy: try await policies.policy(of: endpoint.name) ?? InferenceLogPolicy(),
            counts: log.counts(of: endpoint.name)
        ).page
    }

    private func prediction(_ request: GatewayRequest) async throws -> ConsolePage {
        let (endpoint, _, _) = try await found(request)
        let text = try request.parameter("id")
        guard let id = PredictionID(text) else {
            throw ServingError.invalid("'\(text.prefix(100))' is no prediction's name.")
        }
        let records = try await log.records(of: id, endpoint: endpoint.name)
        guard let first = records.first else {
            throw ServingError(
                .resourceDoesNotExist,
                "Prediction \(id) is not in the log: it was not chosen, or is no longer kept."
            )
        }
        return PredictionPage(
            endpoint: endpoint,
            record: first,
            shadows: Array(records.dropFirst()),
            feedback: try await feedback.feedback(on: id, endpoint: endpoint.name)
        ).page
    }

    // MARK: What pages show

    private func found(_ request: GatewayRequest) async throws -> (Endpoint, EndpointState, [ModelListing]) {
        let endpoint = try await catalog.endpoint(try request.parameter("name"))
        let listings = catalog.listings.filter { $0.name == endpoint.name }
        return (endpoint, EndpointState(endpoint, listings), listings)
    }

    /// The live answers of the last minute, of all versions together.
    private func minute(of name: String) -> MinuteFigures {
        let live = history.lastMinute(of: name).filter { !$0.key.isShadow }.values
        // Of several versions the one with most requests tells the latency best.
        let main = live.max { $0.requests < $1.requests }
        return MinuteFigures(
            requests: live.reduce(0) { $0 + $1.requests },
            errors: live.reduce(0) { $0 + $1.errors },
            p50: main?.p50,
            p99: live.compactMap(\.p99).max()
        )
    }

    private func figures(_ name: String, _ deployments: [Int64: Deployment]) async throws -> FeedbackFigures {
        let since = clock.milliseconds - Self.feedbackDays * 86_400_000
        var metrics: [FeedbackFigures.Metric] = []
        for metric in try await feedback.metrics(of: name).prefix(6) {
            let summaries = try await feedback.rewards(endpoint: name, metric: metric.name, since: since)
            metrics.append(
                FeedbackFigures.Metric(
                    name: metric.name,
                    count: metric.count,
                    numbers: summaries.sorted { $0.key < $1.key }.map { entry in
                        (
                            deployment: deployments.values.first { UInt16(truncatingIfNeeded: $0.number) == entry.key },
                            number: entry.key, summary: entry.value
                        )
                    }
                )
            )
        }
        return FeedbackFigures(metrics: metrics)
    }

    // MARK: What charts draw

    /// `?window=5m|1h`: counts and latencies of each version, one value for each step.
    private func traffic(_ request: GatewayRequest) async throws -> GatewayResponse {
        let name = try request.parameter("name")
        guard try await catalog.hasEndpoint(name) else {
            throw ServingError(.resourceDoesNotExist, "Endpoint '\(name)' is not found.")
        }
        guard let window = TrafficHistory.Window(rawValue: request.queryValue("window") ?? "5m") else {
            throw ServingError.invalid("'window' is '5m' or '1h'.")
        }
        let (start, series) = history.series(of: name, window)
        return .json { json in
            json.key("start")
            json.integer(start)
            json.key("step")
            json.integer(window.step)
            json.key("series")
            json.array(series) { json, series in
                json.object { json in
                    json.key("deployment")
                    json.integer(series.key.deployment)
                    json.key("model")
                    json.string(series.key.model)
                    json.key("version")
                    json.string(series.key.version)
                    json.key("is_shadow")
                    json.bool(series.key.isShadow)
                    json.key("requests")
                    json.array(series.points) { $0.integer(Int64($1.requests)) }
                    json.key("errors")
                    json.array(series.points) { $0.integer(Int64($1.errors)) }
                    json.key("p50")
                    json.array(series.points) { $0.latency($1.p50) }
                    json.key("p99")
                    json.array(series.points) { $0.latency($1.p99) }
                }
            }
        }
    }
}

extension JSONWriter {
    /// Microseconds are exact enough for a picture; null for none.
    fileprivate mutating func latency(_ milliseconds: Double?) {
        guard let milliseconds else { return null() }
        double((milliseconds * 1_000).rounded() / 1_000)
    }
}
