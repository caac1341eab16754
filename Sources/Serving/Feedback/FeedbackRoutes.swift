package import ApusGateway
import ApusJSON
package import ApusKernel
import HTTPTypes

/// Feedback on an endpoint's predictions, by HTTP.
package struct FeedbackRoutes {
    private let store: FeedbackStore
    private let endpoints: any EndpointNames
    private let clock: any WallClock

    package init(store: FeedbackStore, endpoints: any EndpointNames, clock: any WallClock = SystemWallClock()) {
        self.store = store
        self.endpoints = endpoints
        self.clock = clock
    }

    package var routes: [Route] {
        [
            Route(.post, "v1/endpoints/{name}/feedback", .api, .use(.endpoint), add),
            Route(.get, "v1/endpoints/{name}/feedback", .api, .read(.endpoint), list),
            Route(.get, "v1/endpoints/{name}/feedback/summary", .api, .read(.endpoint), summary),
        ]
    }

    private func endpoint(_ request: GatewayRequest) async throws -> String {
        let name = try request.parameter("name")
        guard try await endpoints.hasEndpoint(name) else {
            throw ServingError(.resourceDoesNotExist, "Endpoint '\(name)' is not found.")
        }
        return name
    }

    /// Answered when it is durable.
    private func add(_ request: GatewayRequest) async throws -> GatewayResponse {
        let endpoint = try await endpoint(request)
        let now = clock.milliseconds
        let feedback = try await request.message { try FeedbackMessage.read($0, now: now) }
        let outcome = try await store.add(feedback, endpoint: endpoint)
        return .json { json in
            json.key("added")
            json.integer(Int64(outcome.added))
            json.key("replaced")
            json.integer(Int64(outcome.replaced))
            json.key("unchanged")
            json.integer(Int64(outcome.unchanged))
        }
    }

    /// `?prediction_id=`, or `?metric=&from=&to=&limit=&page_token=`.
    private func list(_ request: GatewayRequest) async throws -> GatewayResponse {
        let endpoint = try await endpoint(request)
        let asked = try await request.message { message in
            (
                id: try message.string("prediction_id"), metric: try message.string("metric") ?? Feedback.reward,
                from: try message.integer("from") ?? 0, to: try message.integer("to") ?? .max,
                limit: try message.integer("limit") ?? 100, token: try message.string("page_token") ?? ""
            )
        }
        if let text = asked.id {
            guard let id = PredictionID(text) else { throw ServingError.invalid("'prediction_id' is no prediction's.") }
            return Self.answer(try await store.feedback(on: id, endpoint: endpoint), next: nil)
        }
        guard (1...1_000).contains(asked.limit) else { throw ServingError.invalid("'limit' is from 1 to 1000.") }
        let before = PredictionID(asked.token)
        guard asked.token.isEmpty || before != nil else {
            throw ServingError.invalid("'page_token' is not one that this server gave.")
        }
        let limit = Int(asked.limit)
        let found = try await store.feedback(
            endpoint: endpoint,
            metric: asked.metric,
            from: asked.from,
            to: asked.to,
            before: before,
            limit: limit + 1
        )
        let page = Array(found.prefix(limit))
        return Self.answer(page, next: found.count > limit ? page.last?.feedback.prediction.text : nil)
    }

    private static func answer(_ feedback: [StoredFeedback], next: String?) -> GatewayResponse {
        .json { json in
            json.key("feedback")
            json.array(feedback) { json, stored in
                json.object { json in
                    let feedback = stored.feedback
                    json.key("prediction_id")
                    json.string(feedback.prediction.text)
                    json.key("metric")
                    json.string(feedback.metric)
                    json.key("value")
                    if let value = feedback.value {
                        json.double(value)
                    } else {
                        json.raw(json: (feedback.text ?? "null").utf8)
                    }
                    json.key("deployment")
                    json.integer(Int64(feedback.prediction.deployment))
                    json.key("prediction_time_ms")
                    json.integer(feedback.prediction.milliseconds)
                    json.key("timestamp_ms")
                    json.integer(feedback.observed)
                    json.key("received_ms")
                    json.integer(stored.received)
                }
            }
            if let next {
                json.key("next_page_token")
                json.string(next)
            }
        }
    }

    /// Counts, means and variances by deployment: `?metric=&since=&until=`.
    private func summary(_ request: GatewayRequest) async throws -> GatewayResponse {
        let endpoint = try await endpoint(request)
        let asked = try await request.message { message in
            (
                metric: try message.string("metric") ?? Feedback.reward, since: try message.integer("since") ?? 0,
                until: try message.integer("until")
            )
        }
        let found = try await store.rewards(
            endpoint: endpoint,
            metric: asked.metric,
            since: asked.since,
            until: asked.until
        )
        return .json { json in
            json.key("metric")
            json.string(asked.metric)
            json.key("deployments")
            json.array(found.sorted { $0.key < $1.key }) { json, entry in
                json.object { json in
                    json.key("deployment")
                    json.integer(Int64(entry.key))
                    json.key("count")
                    json.integer(entry.value.count)
                    json.key("mean")
                    json.double(entry.value.mean)
                    json.key("variance")
                    json.double(entry.value.variance)
                    json.key("positive")
                    json.integer(entry.value.positive)
                }
            }
        }
    }
}
