import ApusGateway
import ApusJSON
import HTTPTypes
import Tracking

/// The endpoints of webhooks in MLflow's REST API.
struct WebhookRoutes {
    let store: WebhookStore

    var routes: [Route] {
        [
            Route(.post, "2.0/mlflow/webhooks", .api, .manage(.webhook), create),
            Route(.get, "2.0/mlflow/webhooks", .api, .read(.webhook), list),
            Route(.get, "2.0/mlflow/webhooks/{webhook_id}", .api, .read(.webhook), get),
            Route(.patch, "2.0/mlflow/webhooks/{webhook_id}", .api, .manage(.webhook), update),
            Route(.delete, "2.0/mlflow/webhooks/{webhook_id}", .api, .manage(.webhook), delete),
            Route(.post, "2.0/mlflow/webhooks/{webhook_id}/test", .api, .manage(.webhook), test),
        ]
    }

    private static let statuses: [(name: String, number: Int64, value: Bool)] = [
        ("ACTIVE", 1, true), ("DISABLED", 2, false),
    ]

    private func create(_ request: GatewayRequest) async throws -> GatewayResponse {
        let new = try await request.message { message in
            let name = try message.requiredString("name")
            let url = try message.requiredString("url")
            let events = try message.webhookEvents()
            guard !events.isEmpty else { throw message.missing("events") }
            return NewWebhook(
                name: name,
                description: try message.string("description") ?? "",
                url: url,
                events: events,
                secret: try message.string("secret") ?? "",
                isActive: try message.enumeration("status", Self.statuses) ?? true
            )
        }
        return answer(try await store.create(new))
    }

    private func update(_ request: GatewayRequest) async throws -> GatewayResponse {
        let id = try request.parameter("webhook_id")
        let change = try await request.message { message in
            let events = try message.webhookEvents()
            return WebhookChange(
                name: try message.string("name").flatMap { $0.isEmpty ? nil : $0 },
                description: try message.string("description"),
                url: try message.string("url").flatMap { $0.isEmpty ? nil : $0 },
                events: events.isEmpty ? nil : events,
                secret: try message.string("secret"),
                isActive: try message.enumeration("status", Self.statuses)
            )
        }
        return answer(try await store.update(id, change))
    }

    private func get(_ request: GatewayRequest) async throws -> GatewayResponse {
        answer(try await store.webhook(try request.parameter("webhook_id")))
    }

    private func answer(_ webhook: Webhook) -> GatewayResponse {
        .json { json in
            json.key("webhook")
            json.webhook(webhook)
        }
    }

    private func delete(_ request: GatewayRequest) async throws -> GatewayResponse {
        try await store.delete(try request.parameter("webhook_id"))
        return .emptyMessage
    }

    private func list(_ request: GatewayRequest) async throws -> GatewayResponse {
        let (limit, token) = try await request.message {
            (try $0.integer("max_results") ?? 100, try $0.string("page_token") ?? "")
        }
        let page = try await store.webhooks(limit: limit, pageToken: token)
        return .json { json in
            if !page.items.isEmpty {
                json.key("webhooks")
                json.array(page.items) { $0.webhook($1) }
            }
            json.nextPage(page.nextToken)
        }
    }

    private func test(_ request: GatewayRequest) async throws -> GatewayResponse {
        let event = try await request.message { try $0.message("event")?.webhookEvent() }
        let result = try await store.test(try request.parameter("webhook_id"), event: event)
        return .json { json in
            json.key("result")
            json.object { json in
                json.key("success")
                json.bool(result.isSuccess)
                if let status = result.status { json.member("response_status", Int64(status)) }
                if let error = result.error { json.member("error_message", error) }
            }
        }
    }
}
