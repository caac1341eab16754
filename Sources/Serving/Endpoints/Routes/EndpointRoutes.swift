import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes

/// The API of endpoints.
struct EndpointRoutes {
    let host: EndpointHost

    /// Who changes something while authentication is off.
    private static let actor = "anonymous"
    private static let revisionsPerPage: Int64 = 1_000

    var routes: [Route] {
        [
            Route(.get, "v1/endpoints", .api, .read(.endpoint), list),
            Route(.post, "v1/endpoints", .api, .edit(.endpoint), create),
            Route(.get, "v1/endpoints/{name}", .api, .read(.endpoint), get),
            Route(.patch, "v1/endpoints/{name}", .api, .edit(.endpoint), update),
            Route(.delete, "v1/endpoints/{name}", .api, .manage(.endpoint), delete),
            Route(.post, "v1/endpoints/{name}/deploy", .api, .edit(.endpoint), deploy),
            Route(.post, "v1/endpoints/{name}/promote", .api, .edit(.endpoint), promote),
            Route(.post, "v1/endpoints/{name}/abort", .api, .edit(.endpoint), abort),
            Route(.post, "v1/endpoints/{name}/rollback", .api, .edit(.endpoint), rollBack),
            Route(.get, "v1/endpoints/{name}/report", .api, .read(.endpoint), report),
            Route(.get, "v1/endpoints/{name}/revisions", .api, .read(.endpoint), revisions),
        ]
    }

    private func list(_ request: GatewayRequest) async throws -> GatewayResponse {
        let endpoints = await host.endpoints()
        let listings = host.listings
        return .json { json in
            json.key("endpoints")
            json.array(endpoints) { json, endpoint in
                json.object { $0.endpoint(endpoint, listings: listings.filter { $0.name == endpoint.name }) }
            }
        }
    }

    private func get(_ request: GatewayRequest) async throws -> GatewayResponse {
        answer(try await host.endpoint(try request.parameter("name")))
    }

    private func create(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (name, spec, source, reason) = try await request.message { message in
            var spec = EndpointSpec()
            spec.description = try message.string("description") ?? ""
            spec.strategy = try message.strategy("strategy", base: nil) ?? Strategy()
            spec.settings = try message.deploymentSettings("settings")
            spec.following = try message.followedAlias("follow") ?? nil
            return (
                try message.requiredString("name"), spec, try message.string("source"),
                try message.string("reason") ?? ""
            )
        }
        let endpoint = try await host.create(
            name: name,
            spec: spec,
            source: source,
            actor: Self.actor,
            reason: reason
        )
        return answer(endpoint, status: .created)
    }

    private func update(_ request: GatewayRequest) async throws -> GatewayResponse {
        let name = try request.parameter("name")
        let present = try await host.endpoint(name).spec
        let (edit, reason) = try await request.message { message in
            let description = try message.string("description")
            let strategy = try message.strategy("strategy", base: present.strategy)
            let settings = try message.deploymentSettings("settings")
            let following = try message.followedAlias("follow")
            let edit: @Sendable (inout EndpointSpec) -> Void = { spec in
                if let description { spec.description = description }
                if let strategy { spec.strategy = strategy }
                if let following { spec.following = following }
                spec.settings = settings.completed(by: spec.settings)
            }
            return (edit, try message.string("reason") ?? "")
        }
        return answer(try await host.update(name, actor: Self.actor, reason: reason, edit))
    }

    private func delete(_ request: GatewayRequest) async throws -> GatewayResponse {
        let reason = try await reason(request)
        try await host.delete(try request.parameter("name"), actor: Self.actor, reason: reason)
        return .emptyMessage
    }

    private func deploy(_ request: GatewayRequest) async throws -> GatewayResponse {
        let name = try request.parameter("name")
        let present = try await host.endpoint(name).spec.strategy
        let (order, reason) = try await request.message { message in
            var order = EndpointHost.DeployOrder(source: try message.requiredString("source"))
            order.strategy = try message.strategy("strategy", base: present)
            order.settings = try message.deploymentSettings("settings")
            order.replaces = try message.bool("replace") ?? false
            return (order, try message.string("reason") ?? "")
        }
        return answer(try await host.deploy(name, order, actor: Self.actor, reason: reason), status: .accepted)
    }

    private func promote(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (version, reason) = try await request.message {
            (try $0.string("version"), try $0.string("reason") ?? "")
        }
        return answer(
            try await host.promote(
                try request.parameter("name"),
                version: version,
                actor: Self.actor,
                reason: reason
            )
        )
    }

    private func abort(_ request: GatewayRequest) async throws -> GatewayResponse {
        let reason = try await reason(request)
        return answer(try await host.abort(try request.parameter("name"), actor: Self.actor, reason: reason))
    }

    private func rollBack(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (revision, reason) = try await request.message {
            (try $0.integer("revision"), try $0.string("reason") ?? "")
        }
        return answer(
            try await host.rollBack(
                try request.parameter("name"),
                to: revision,
                actor: Self.actor,
                reason: reason
            )
        )
    }

    private func report(_ request: GatewayRequest) async throws -> GatewayResponse {
        let endpoint = try await host.endpoint(try request.parameter("name"))
        guard let rollout = endpoint.rollout ?? endpoint.lastRollout else {
            throw ServingError(.resourceConflict, "Endpoint '\(endpoint.name)' had no rollout to report on.")
        }
        return .json { RolloutReport(endpoint: endpoint, rollout: rollout).write(to: &$0) }
    }

    private func revisions(_ request: GatewayRequest) async throws -> GatewayResponse {
        let limit = try await request.message { try $0.integer("max_results") } ?? 100
        let revisions = try await host.revisions(
            of: try request.parameter("name"),
            limit: min(max(1, limit), Self.revisionsPerPage)
        )
        return .json { json in
            json.key("revisions")
            json.array(revisions) { json, revision in
                json.object { json in
                    json.number("revision", revision.revision)
                    json.text("action", revision.action)
                    json.text("actor", revision.actor)
                    json.text("reason", revision.reason)
                    json.number("time", revision.time)
                    if let stable = revision.spec.stable { json.number("deployment", stable) }
                }
            }
        }
    }

    private func reason(_ request: GatewayRequest) async throws -> String {
        try await request.message { try $0.string("reason") } ?? ""
    }

    private func answer(_ endpoint: Endpoint, status: HTTPResponse.Status = .ok) -> GatewayResponse {
        var response = GatewayResponse.json { json in
            json.endpoint(endpoint, listings: host.listings.filter { $0.name == endpoint.name })
        }
        response.status = status
        return response
    }
}
