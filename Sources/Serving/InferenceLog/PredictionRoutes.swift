package import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes

/// An endpoint's logged predictions, and what is logged of it, by HTTP.
package struct PredictionRoutes {
    private let log: InferenceLog
    private let recorder: InferenceRecorder
    private let policies: LogPolicyStore
    private let feedback: FeedbackStore
    private let endpoints: any EndpointNames

    package init(
        log: InferenceLog,
        recorder: InferenceRecorder,
        policies: LogPolicyStore,
        feedback: FeedbackStore,
        endpoints: any EndpointNames
    ) {
        self.log = log
        self.recorder = recorder
        self.policies = policies
        self.feedback = feedback
        self.endpoints = endpoints
    }

    package var routes: [Route] {
        [
            Route(.get, "v1/endpoints/{name}/predictions", .api, .read(.endpoint), list),
            Route(.get, "v1/endpoints/{name}/predictions/{id}", .api, .read(.endpoint), get),
            Route(.get, "v1/endpoints/{name}/logging", .api, .read(.endpoint), policy),
            Route(.put, "v1/endpoints/{name}/logging", .api, .manage(.endpoint), setPolicy),
        ]
    }

    private func endpoint(_ request: GatewayRequest) async throws -> String {
        let name = try request.parameter("name")
        guard try await endpoints.hasEndpoint(name) else {
            throw ServingError(.resourceDoesNotExist, "Endpoint '\(name)' is not found.")
        }
        return name
    }

    /// `?from=&to=` in milliseconds since 1970, `&status=ok|error`, `&version=`, `&limit=`, `&page_token=`.
    private func list(_ request: GatewayRequest) async throws -> GatewayResponse {
        let endpoint = try await endpoint(request)
        let asked = try await request.message { message in
            (
                from: try message.integer("from"), to: try message.integer("to"),
                limit: try message.integer("limit") ?? 100, token: try message.string("page_token") ?? "",
                status: try message.string("status"), version: try message.string("version")
            )
        }
        guard (1...1_000).contains(asked.limit) else { throw ServingError.invalid("'limit' is from 1 to 1000.") }
        guard asked.status == nil || asked.status == "ok" || asked.status == "error" else {
            throw ServingError.invalid("'status' is 'ok' or 'error'.")
        }
        let page = try await log.page(
            endpoint: endpoint,
            from: asked.from,
            to: asked.to,
            limit: Int(asked.limit),
            pageToken: asked.token
        ) { record in
            (asked.status.map { ($0 == "ok") == record.errorCode.isEmpty } ?? true)
                && (asked.version.map { $0 == record.version } ?? true)
        }
        let counts = log.counts(of: endpoint)
        return .json { json in
            json.key("predictions")
            json.array(page.records) { $0.prediction($1, elements: 1_000) }
            if let token = page.nextToken {
                json.key("next_page_token")
                json.string(token)
            }
            json.key("since_start")
            json.object { json in
                json.key("logged")
                json.integer(Int64(counts.written))
                json.key("dropped")
                json.integer(Int64(counts.dropped))
                json.key("failed")
                json.integer(Int64(counts.failed))
            }
        }
    }

    private func get(_ request: GatewayRequest) async throws -> GatewayResponse {
        let endpoint = try await endpoint(request)
        let text = try request.parameter("id")
        guard let id = PredictionID(text) else {
            throw ServingError.invalid("'\(text.prefix(100))' is no prediction's name.")
        }
        let records = try await log.records(of: id, endpoint: endpoint)
        let known = try await feedback.feedback(on: id, endpoint: endpoint)
        guard let first = records.first else {
            throw ServingError(
                .resourceDoesNotExist,
                "Prediction '\(id)' is not in the log of endpoint '\(endpoint)': it was not chosen, or is no longer kept."
            )
        }
        return .json { json in
            json.key("prediction")
            json.prediction(first)
            json.key("shadows")
            json.array(records.dropFirst()) { $0.prediction($1) }
            json.key("feedback")
            json.object { json in
                for stored in known {
                    json.key(text: stored.feedback.metric)
                    if let value = stored.feedback.value {
                        json.double(value)
                    } else {
                        json.raw(json: (stored.feedback.text ?? "null").utf8)
                    }
                }
            }
        }
    }

    private func policy(_ request: GatewayRequest) async throws -> GatewayResponse {
        let endpoint = try await endpoint(request)
        let policy = try await policies.policy(of: endpoint) ?? InferenceLogPolicy()
        return .json(bytes: Array(policy.json.utf8))
    }

    /// What is not named gets its default.
    private func setPolicy(_ request: GatewayRequest) async throws -> GatewayResponse {
        let endpoint = try await endpoint(request)
        let (policy, reason) = try await request.message { message in
            (try InferenceLogPolicy(message), try message.string("reason") ?? "")
        }
        guard reason.utf8.count <= 4_096 else { throw ServingError.invalid("'reason' is longer than 4096 bytes.") }
        try await policies.set(policy, for: endpoint, reason: reason)
        recorder.follow(policy, for: endpoint)
        return .json(bytes: Array(policy.json.utf8))
    }
}
