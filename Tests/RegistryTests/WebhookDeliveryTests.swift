import ApusDatabase
import ApusGateway
import ApusJSON
import ApusLedger
import ApusTesting
import Crypto
import HTTPTypes
import Logging
import Registry
import ServiceLifecycle
import Testing
import Tracking

@Suite(.timeLimit(.minutes(2))) struct WebhookDeliveryTests {
    private static let open = Egress(policy: .init(schemes: ["http", "https"], allowsPrivateAddresses: true))
    private static let everything: [(String, String)] = [
        ("REGISTERED_MODEL", "CREATED"), ("MODEL_VERSION", "CREATED"), ("MODEL_VERSION_TAG", "SET"),
        ("MODEL_VERSION_TAG", "DELETED"), ("MODEL_VERSION_ALIAS", "CREATED"), ("MODEL_VERSION_ALIAS", "DELETED"),
        ("PROMPT", "CREATED"), ("PROMPT_VERSION", "CREATED"), ("PROMPT_TAG", "SET"), ("PROMPT_TAG", "DELETED"),
        ("PROMPT_VERSION_TAG", "SET"), ("PROMPT_VERSION_TAG", "DELETED"), ("PROMPT_ALIAS", "CREATED"),
        ("PROMPT_ALIAS", "DELETED"),
    ]

    private func hook(
        _ registry: RegistryFixture,
        _ url: String,
        _ events: [(String, String)] = everything,
        secret: String = "key"
    ) async throws -> String {
        let list = events.map { JSON.object([("entity", .text($0.0)), ("action", .text($0.1))]) }
        let fields: [(String, JSON)] = [
            ("name", "h"), ("url", .text(url)), ("events", .list(list)), ("secret", .text(secret)),
        ]
        return try #require(try await registry.ok(.post, "webhooks", fields)("webhook", "webhook_id"))
    }

    /// Runs the Ledger and the deliveries while `body` runs; as another process would when `isRestarted`.
    private func serving(
        _ registry: RegistryFixture,
        retries: Int = 3,
        isRestarted: Bool = false,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let base = registry.base
        let ledger =
            isRestarted ? Ledger(database: base.database, clock: base.clock, logger: base.logger) : base.ledger
        let store =
            isRestarted
            ? WebhookStore(
                database: base.database,
                ledger: ledger,
                clock: base.clock,
                egress: Self.open,
                secrets: WebhookSecrets(passphrase: "for tests")
            ) : registry.webhooks
        let webhooks = RegistryCapability(
            store: registry.store,
            artifacts: ArtifactService(artifacts: base.artifacts, ledger: base.ledger),
            webhooks: store,
            deliveries: .init(maximumRetries: retries),
            logger: registry.base.logger
        )
        let services: [any Service] = [ledger] + webhooks.services
        let group = ServiceGroup(configuration: .init(services: services, logger: registry.base.logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body()
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func waiting(_ registry: RegistryFixture) async throws -> Int64 {
        try await registry.base.database.read { transaction in
            try transaction.first("SELECT COUNT(*) FROM webhook_deliveries") { $0.integer(0) } ?? -1
        }
    }

    /// What the header must be, computed in another way than the server does: HMAC from its definition (RFC 2104).
    private func signature(_ delivery: Receiver.Delivery, key: String) -> String {
        let id = delivery.headers[HTTPField.Name("X-MLflow-Delivery-Id") ?? .accept] ?? ""
        let time = delivery.headers[HTTPField.Name("X-MLflow-Timestamp") ?? .accept] ?? ""
        let padded = Array(key.utf8) + [UInt8](repeating: 0, count: 64 - key.utf8.count)
        let inner = SHA256.hash(data: padded.map { $0 ^ 0x36 } + Array("\(id).\(time).\(delivery.body)".utf8))
        return "v1," + base64(Array(SHA256.hash(data: padded.map { $0 ^ 0x5C } + Array(inner))))
    }

    private func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = Array(bytes[start..<min(start + 3, bytes.count)])
            let value = (0..<3).reduce(0) { $0 << 8 | Int($1 < group.count ? group[$1] : 0) }
            for place in 0..<4 { text += place <= group.count ? String(digits[value >> (18 - 6 * place) & 63]) : "=" }
        }
        return text
    }

    @Test(arguments: ApusFixture.dialects)
    func `a delivery is whole and signed, and leaves nothing behind`(_ dialect: Dialect) async throws {
        let receiver = Receiver()
        try await receiver.run { url in
            try await RegistryFixture.with(dialect, egress: Self.open) { registry in
                _ = try await hook(registry, url + "/in?x=y")
                try await serving(registry) {
                    try await registry.model("m", tags: [("a", "b")])
                    let delivery = try #require(try await receiver.wait(for: 1).first)
                    #expect(delivery.path == "/in?x=y")
                    #expect(delivery.headers[.contentType] == "application/json")
                    #expect(
                        delivery.body == #"{"entity":"registered_model","action":"created","#
                            + #""timestamp":"2023-11-14T22:13:20.000000+00:00","#
                            + #""data":{"name":"m","tags":{"a":"b"},"description":""}}"#
                    )
                    let name = try #require(HTTPField.Name("X-MLflow-Signature"))
                    #expect(delivery.headers[name] == signature(delivery, key: "key"))
                    for _ in 0..<500 where try await waiting(registry) > 0 {
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    #expect(try await waiting(registry) == 0)
                }
            }
        }
    }

    @Test func `without a secret there is no signature`() async throws {
        let receiver = Receiver()
        try await receiver.run { url in
            try await RegistryFixture.with(egress: Self.open) { registry in
                _ = try await hook(registry, url, secret: "")
                try await serving(registry) {
                    try await registry.model()
                    let delivery = try #require(try await receiver.wait(for: 1).first)
                    #expect(delivery.headers[try #require(HTTPField.Name("X-MLflow-Signature"))] == nil)
                }
            }
        }
    }

    @Test func `every event has the shape that MLflow gives it`() async throws {
        let receiver = Receiver()
        try await receiver.run { url in
            try await RegistryFixture.with(egress: Self.open) { registry in
                _ = try await hook(registry, url)
                let mark = [("mlflow.prompt.is_prompt", "true"), ("_mlflow_prompt_type", "text")]
                let text: (String, JSON) = ("tags", .pairs(mark + [("mlflow.prompt.text", "Hi"), ("t", "u")]))
                try await registry.model()
                try await registry.version("m", [("description", "vd"), ("tags", .pairs([("t", "u")]))])
                try await registry.model("p", tags: mark + [("k", "v")])
                try await registry.version("p", source: "dummy-source", [text])
                for name in ["m", "p"] {
                    let version: [(String, JSON)] = [("name", .text(name)), ("version", "1")]
                    let tag: [(String, JSON)] = [("name", .text(name)), ("key", "k")]
                    try await registry.ok(.post, "registered-models/set-tag", tag + [("value", "w")])
                    try await registry.ok(.delete, "registered-models/delete-tag", tag)
                    try await registry.ok(.post, "model-versions/set-tag", version + [("key", "k"), ("value", "w")])
                    try await registry.ok(.delete, "model-versions/delete-tag", version + [("key", "k")])
                    try await registry.ok(.post, "registered-models/alias", version + [("alias", "a")])
                    try await registry.ok(.delete, "registered-models/alias", [("name", .text(name)), ("alias", "a")])
                }
                try await serving(registry) {
                    let found = try await receiver.wait(for: 14).map { delivery in
                        let answer = Answer(status: 200, body: delivery.body)
                        return "\(answer("entity") ?? "").\(answer("action") ?? "") \(answer("data") ?? "")"
                    }
                    #expect(
                        found.sorted() == [
                            "model_version.created {name:m,version:1,source:s3://bucket/key,run_id:null,tags:{t:u},description:vd}",
                            "model_version_alias.created {name:m,alias:a,version:1}",
                            "model_version_alias.deleted {name:m,alias:a}",
                            "model_version_tag.deleted {name:m,version:1,key:k}",
                            "model_version_tag.set {name:m,version:1,key:k,value:w}",
                            "prompt.created {name:p,tags:{k:v},description:}",
                            "prompt_alias.created {name:p,alias:a,version:1}",
                            "prompt_alias.deleted {name:p,alias:a}",
                            "prompt_tag.deleted {name:p,key:k}",
                            "prompt_tag.set {name:p,key:k,value:w}",
                            "prompt_version.created {name:p,version:1,template:Hi,tags:{t:u},description:null}",
                            "prompt_version_tag.deleted {name:p,version:1,key:k}",
                            "prompt_version_tag.set {name:p,version:1,key:k,value:w}",
                            "registered_model.created {name:m,tags:{},description:}",
                        ]
                    )
                }
            }
        }
    }

    /// Waits until what was received is noted as delivered: a server that ends before that sends it again.
    private static func allNoted(_ database: Database) async throws {
        for _ in 0..<500 {
            let left = try await database.read {
                try $0.first("SELECT COUNT(*) FROM webhook_deliveries") { $0.integer(0) }
            }
            if left == 0 { return }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test(arguments: ApusFixture.dialects)
    func `what happened while nobody delivered is delivered later, and only once`(_ dialect: Dialect) async throws {
        let receiver = Receiver()
        try await receiver.run { url in
            try await RegistryFixture.with(dialect, egress: Self.open) { registry in
                try await registry.model("before")
                registry.base.clock.advance(milliseconds: 1)
                _ = try await hook(registry, url)
                for index in 0..<5 { try await registry.model("m\(index)") }
                let database = registry.base.database
                try await serving(registry) {
                    _ = try await receiver.wait(for: 5)
                    try await Self.allNoted(database)
                }
                try await registry.model("last")
                try await serving(registry, isRestarted: true) { _ = try await receiver.wait(for: 6) }
                let names = receiver.deliveries.compactMap { Answer(status: 200, body: $0.body)("data", "name") }
                #expect(names.sorted() == ["last", "m0", "m1", "m2", "m3", "m4"])
            }
        }
    }

    @Test func `a webhook hears only what it asked for, and nothing while it is disabled`() async throws {
        let receiver = Receiver()
        try await receiver.run { url in
            try await RegistryFixture.with(egress: Self.open) { registry in
                let silent = try await hook(registry, url + "/silent")
                try await registry.ok(.patch, "webhooks/\(silent)", [("status", "DISABLED")])
                _ = try await hook(registry, url + "/alias", [("MODEL_VERSION_ALIAS", "CREATED")])
                try await serving(registry) {
                    try await registry.model()
                    try await registry.version()
                    try await registry.store.setAlias("a", of: "m", version: "1")
                    #expect(try await receiver.wait(for: 1).map(\.path) == ["/alias"])
                }
                #expect(receiver.deliveries.count == 1)
            }
        }
    }

    @Test(arguments: [500, 503, 429])
    func `a refused delivery is tried again with the same message and a fresh signature`(_ status: Int) async throws {
        let receiver = Receiver(statuses: [status])
        try await receiver.run { url in
            try await RegistryFixture.with(egress: Self.open) { registry in
                _ = try await hook(registry, url)
                try await serving(registry) {
                    try await registry.model()
                    _ = try await receiver.wait(for: 1)
                    for _ in 0..<1_000 where receiver.deliveries.count < 2 {
                        registry.base.clock.advance(milliseconds: 100)
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    let deliveries = receiver.deliveries
                    let id = try #require(HTTPField.Name("X-MLflow-Delivery-Id"))
                    let name = try #require(HTTPField.Name("X-MLflow-Signature"))
                    try #require(deliveries.count == 2)
                    #expect(deliveries[0].body == deliveries[1].body)
                    #expect(deliveries[0].headers[id] == deliveries[1].headers[id])
                    #expect(deliveries.allSatisfy { $0.headers[name] == signature($0, key: "key") })
                }
            }
        }
    }

    @Test(arguments: [([400], 1), ([302], 1), ([500, 500, 500], 2)])
    func `a delivery that is refused for good is given up`(_ statuses: [Int], _ tries: Int) async throws {
        let receiver = Receiver(statuses: statuses)
        try await receiver.run { url in
            try await RegistryFixture.with(egress: Self.open) { registry in
                _ = try await hook(registry, url, [("REGISTERED_MODEL", "CREATED")])
                try await serving(registry, retries: 1) {
                    try await registry.model()
                    _ = try await receiver.wait(for: 1)
                    for _ in 0..<1_000 where try await waiting(registry) > 0 {
                        registry.base.clock.advance(milliseconds: 100)
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    #expect(try await waiting(registry) == 0)
                    #expect(receiver.deliveries.map(\.path) == Array(repeating: "/", count: tries))
                }
            }
        }
    }

    @Test(arguments: [(200, "true"), (399, "true"), (302, "true"), (400, "false"), (500, "false")])
    func `a test tells the status and nothing else of the answer`(_ status: Int, _ isSuccess: String) async throws {
        let receiver = Receiver(statuses: [status])
        try await receiver.run { url in
            try await RegistryFixture.with(egress: Self.open) { registry in
                let id = try await hook(registry, url, [("PROMPT_ALIAS", "DELETED")])
                let result = try await registry.ok(.post, "webhooks/\(id)/test")
                #expect(result.body == #"{"result":{"success":\#(isSuccess),"response_status":\#(status)}}"#)
                let delivery = try #require(receiver.deliveries.first)
                #expect(receiver.deliveries.count == 1)
                #expect(delivery.body.hasSuffix(#""data":{"name":"example_prompt","alias":"example_alias"}}"#))
                #expect(
                    delivery.headers[try #require(HTTPField.Name("X-MLflow-Signature"))]
                        == signature(delivery, key: "key")
                )
                let event: JSON = .object([("entity", "MODEL_VERSION"), ("action", "CREATED")])
                try await registry.ok(.post, "webhooks/\(id)/test", [("event", event)])
                #expect(
                    receiver.deliveries.last?.body.contains(#""entity":"model_version","action":"created""#) == true
                )
            }
        }
    }

    @Test func `a receiver that is not there fails the test without details`() async throws {
        try await RegistryFixture.with(egress: Self.open) { registry in
            let id = try await hook(registry, "http://127.0.0.1:1/")
            let result = try await registry.ok(.post, "webhooks/\(id)/test")
            #expect(
                result.body == #"{"result":{"success":false,"error_message":"Failed to test webhook: "#
                    + #"The connection could not be made or was closed without an answer."}}"#
            )
        }
    }
}
