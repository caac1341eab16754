import ApusDatabase
import ApusGateway
import ApusLedger
import ApusTesting
import HTTPTypes
import Registry
import Testing

@Suite struct WebhookTests {
    private static let event: JSON = .object([("entity", "REGISTERED_MODEL"), ("action", "CREATED")])

    private func create(_ registry: RegistryFixture, _ change: [(String, JSON)] = []) async throws -> Answer {
        var fields: [(String, JSON)] = [
            ("name", "hook"), ("url", "https://example.com/in"), ("events", .list([Self.event])), ("secret", "s3cret"),
            ("description", "d"),
        ]
        fields.removeAll { old in change.contains { $0.0 == old.0 } }
        return try await registry.send(.post, "webhooks", fields + change)
    }

    @Test(arguments: ApusFixture.dialects)
    func `a webhook is made, read, changed, listed and deleted`(_ dialect: Dialect) async throws {
        try await RegistryFixture.with(dialect) { registry in
            let made = try await create(registry)
            let id = try #require(made("webhook", "webhook_id"))
            #expect(id.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
            let body =
                #"{"webhook":{"webhook_id":"\#(id)","name":"hook","description":"d","url":"https://example.com/in","#
                + #""events":[{"entity":"REGISTERED_MODEL","action":"CREATED"}],"status":"ACTIVE","#
                + #""creation_timestamp":1700000000000,"last_updated_timestamp":1700000000000}}"#
            #expect(made.body == body)
            #expect(try await registry.ok(.get, "webhooks/\(id)").body == body)
            registry.base.clock.advance(milliseconds: 3)
            let more: [(String, JSON)] = [
                ("name", "new"), ("status", "DISABLED"), ("description", ""),
                ("events", .list([.object([("entity", "PROMPT_TAG"), ("action", "SET")])])),
            ]
            let changed = try await registry.ok(.patch, "webhooks/\(id)", more)
            #expect(changed("webhook", "name") == "new")
            #expect(changed("webhook", "status") == "DISABLED")
            #expect(changed("webhook", "description") == nil)
            #expect(changed("webhook", "events") == "[{entity:PROMPT_TAG,action:SET}]")
            #expect(changed("webhook", "last_updated_timestamp") == "1700000000003")
            #expect(try await registry.ok(.get, "webhooks").each("webhooks", "webhook_id") == [id])
            try await registry.ok(.delete, "webhooks/\(id)")
            let calls: [(HTTPRequest.Method, String)] = [
                (.get, "webhooks/\(id)"), (.patch, "webhooks/\(id)"), (.delete, "webhooks/\(id)"),
                (.post, "webhooks/\(id)/test"),
            ]
            for (method, path) in calls {
                let answer = try await registry.send(method, path)
                #expect(answer.status == 404)
                #expect(answer.message == "Webhook with ID \(id) not found.")
            }
            #expect(try await registry.events().suffix(3) == ["webhook.created", "webhook.updated", "webhook.deleted"])
        }
    }

    @Test func `a secret is neither told nor stored in the clear`() async throws {
        try await RegistryFixture.with { registry in
            let made = try await create(registry)
            #expect(!made.body.contains("s3cret"))
            let stored = try await registry.base.database.read { transaction in
                try transaction.first("SELECT secret FROM webhooks") { $0.blob(0) }
            }
            let bytes = try #require(stored)
            #expect(bytes.count == 12 + 6 + 16)
            #expect(!String(decoding: bytes, as: UTF8.self).contains("s3cret"))
            let id = try #require(made("webhook", "webhook_id"))
            try await registry.ok(.patch, "webhooks/\(id)", [("secret", "")])
            let left = try await registry.base.database.read { transaction in
                try transaction.first("SELECT COUNT(secret) FROM webhooks") { $0.integer(0) }
            }
            #expect(left == 0)
            let events = try await registry.base.ledger.events(after: 0, limit: 100)
            #expect(!events.contains { $0.event.payload.contains("s3cret") })
        }
    }

    @Test(
        arguments: [
            ("name", ""), ("name", "-x"), ("name", "x-"), ("name", "a b"), ("name", "x\n"), ("name", "ä"),
            ("name", .text(String(repeating: "n", count: 64))), ("events", .list([])),
            ("events", .list([.object([("entity", "REGISTERED_MODEL"), ("action", "EXCEEDED")])])),
            ("events", .list([.object([("entity", "NOPE"), ("action", "CREATED")])])),
            ("events", .list([.object([("entity", "PROMPT")])])), ("status", "GONE"),
            ("url", ""), ("url", " "), ("url", "ftp://example.com/x"), ("url", "http://example.com/x"),
            ("url", "not a url"),
            ("url", "https://nowhere.example/"), ("url", "https://private.example/"), ("url", "https://half.example/"),
            ("url", "https://localhost/"), ("url", "https://127.0.0.1/"), ("url", "https://169.254.169.254/latest"),
            ("url", "https://[::ffff:10.0.0.1]/"), ("url", "https://0.0.0.0/"), ("url", "https://2130706433/"),
            ("url", "https://user:pass@example.com/"),
        ] as [(String, JSON)]
    )
    func `bad webhooks are refused and nothing is made`(_ name: String, _ value: JSON) async throws {
        try await RegistryFixture.with { registry in
            let answer = try await create(registry, [(name, value)])
            #expect(answer.status == 400, "\(answer.body)")
            #expect(answer.code == "INVALID_PARAMETER_VALUE")
            #expect(!answer.body.contains("10.0.0.1") || name == "url")
            #expect(try await registry.ok(.get, "webhooks").body == "{}")
        }
    }

    @Test func `a name that does not fit an action says which do`() async throws {
        try await RegistryFixture.with { registry in
            let event: JSON = .object([("entity", "MODEL_VERSION_TAG"), ("action", "CREATED")])
            let answer = try await create(registry, [("events", .list([event]))])
            #expect(
                answer.message == "Invalid action 'created' for entity 'model_version_tag'. "
                    + "Valid actions are: ['deleted', 'set']"
            )
        }
    }

    @Test func `lists come in pages, newest first`() async throws {
        try await RegistryFixture.with { registry in
            for name in ["a", "b", "c"] {
                #expect(try await create(registry, [("name", .text(name))]).status == 200)
                registry.base.clock.advance(milliseconds: 1)
            }
            let first = try await registry.ok(.get, "webhooks", [("max_results", 2)])
            #expect(first.each("webhooks", "name") == ["c", "b"])
            let token = try #require(first("next_page_token"))
            let second = try await registry.ok(.get, "webhooks", [("max_results", 2), ("page_token", .text(token))])
            #expect(second.each("webhooks", "name") == ["a"])
            #expect(second("next_page_token") == nil)
            for limit: JSON in [1001, -1] {
                let answer = try await registry.send(.get, "webhooks", [("max_results", limit)])
                #expect(answer.message == "max_results must be between 1 and 1000.")
            }
        }
    }

    @Test func `a webhook whose name resolves elsewhere by now is not called`() async throws {
        try await RegistryFixture.with { registry in
            let made = try await create(registry)
            let id = try #require(made("webhook", "webhook_id"))
            try await registry.base.database.write { transaction in
                try transaction.execute("UPDATE webhooks SET url = 'https://private.example/'")
            }
            let result = try await registry.ok(.post, "webhooks/\(id)/test")
            #expect(result("result", "success") == "false")
            #expect(result("result", "response_status") == nil)
            #expect(
                result("result", "error_message")
                    == "Failed to test webhook: Webhook URL must not resolve to a non-public "
                    + "IP address, as 'private.example' does."
            )
        }
    }
}
