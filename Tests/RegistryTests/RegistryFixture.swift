import ApusDatabase
import ApusGateway
import ApusJSON
import ApusKernel
import ApusLedger
import ApusTesting
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Registry
import Synchronization
import Testing
import Tracking

/// A registry behind the front door, over a fresh database, with one run and one logged model.
struct RegistryFixture: Sendable {
    let base: ApusFixture
    let store: RegistryStore
    let webhooks: WebhookStore
    let loggedModels: KnownLoggedModels
    let client: any TestClientProtocol
    /// A run, whose artifacts are at `mlflow-artifacts:/0/<run>/artifacts`.
    let run: String

    static func with(
        _ dialect: Dialect = .sqlite,
        sources: SourcePolicy? = nil,
        egress: Egress = Egress(resolver: KnownHosts()),
        _ body: @escaping @Sendable (RegistryFixture) async throws -> Void
    ) async throws {
        let migrations = TrackingCapability.migrations + RegistryCapability.migrations
        try await ApusFixture.with(dialect, migrations: migrations) { base async throws in
            let tracking = TrackingStore(database: base.database, ledger: base.ledger, clock: base.clock)
            try await tracking.prepare()
            let run = try await tracking.createRun(.init(experimentID: "0")).info.id.rawValue
            let models = KnownLoggedModels(run: run)
            let store = RegistryStore(
                database: base.database,
                ledger: base.ledger,
                clock: base.clock,
                runs: tracking,
                loggedModels: models,
                sources: try sources ?? SourcePolicy()
            )
            let webhooks = WebhookStore(
                database: base.database,
                ledger: base.ledger,
                clock: base.clock,
                egress: egress,
                secrets: WebhookSecrets(passphrase: "for tests")
            )
            let responder = GatewayResponder(
                routes: RegistryCapability(
                    store: store,
                    artifacts: ArtifactService(artifacts: base.artifacts, ledger: base.ledger),
                    webhooks: webhooks,
                    logger: base.logger
                ).routes,
                configuration: .init(logger: base.logger)
            )
            try await Application(responder: responder, logger: base.logger).test(.router) { client in
                let fixture = RegistryFixture(
                    base: base,
                    store: store,
                    webhooks: webhooks,
                    loggedModels: models,
                    client: client,
                    run: run
                )
                try await body(fixture)
            }
        }
    }

    /// Sends a message: in the query for GET, as JSON otherwise.
    func send(_ method: HTTPRequest.Method, _ path: String, _ fields: [(String, JSON)] = []) async throws -> Answer {
        var uri = "/api/2.0/mlflow/\(path)"
        var body: ByteBuffer?
        if method == .get {
            uri += fields.isEmpty ? "" : "?" + fields.flatMap { $0.1.query($0.0) }.joined(separator: "&")
        } else {
            var writer = JSONWriter()
            JSON.object(fields).write(to: &writer)
            body = ByteBuffer(bytes: writer.bytes)
        }
        return try await client.execute(
            uri: uri,
            method: method,
            headers: [.contentType: "application/json"],
            body: body
        ) { Answer(status: Int($0.status.code), body: String(buffer: $0.body)) }
    }

    /// Sends a message that must be accepted.
    @discardableResult
    func ok(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ fields: [(String, JSON)] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        let answer = try await send(method, path, fields)
        #expect(answer.status == 200, "\(answer.body)", sourceLocation: sourceLocation)
        return answer
    }

    /// Makes a registered model.
    func model(_ name: String = "m", tags: [(String, String)] = []) async throws {
        try await ok(.post, "registered-models/create", [("name", .text(name)), ("tags", .pairs(tags))])
    }

    /// Makes a version in storage that is not ours.
    @discardableResult
    func version(
        _ name: String = "m",
        source: String = "s3://bucket/key",
        _ more: [(String, JSON)] = []
    ) async throws -> Answer {
        try await ok(.post, "model-versions/create", [("name", .text(name)), ("source", .text(source))] + more)
    }

    /// What happened, oldest first.
    func events() async throws -> [String] {
        try await base.ledger.seal()
        return try await base.ledger.events(after: 0, limit: 1_000).map(\.event.action)
    }
}

/// The logged models of a test: `m-1`, which the run made and which lies next to its artifacts.
final class KnownLoggedModels: LoggedModelDirectory {
    let run: String
    let registrations = Mutex<[String]>([])

    init(run: String) { self.run = run }

    func origin(ofLoggedModel id: String) async throws -> LoggedModelOrigin? {
        id == "m-1" ? LoggedModelOrigin(artifactURI: "mlflow-artifacts:/0/models/m-1/artifacts", sourceRunID: run) : nil
    }

    func noteRegistration(ofLoggedModel id: String, name: String, version: Int64, in: Transaction) throws {
        registrations.withLock { $0.append("\(id) \(name) \(version)") }
    }
}

/// Names that resolve without a name server.
struct KnownHosts: HostResolver {
    func addresses(of host: String) async throws -> [NetworkAddress] {
        let known = [
            "example.com": ["93.184.215.14"], "private.example": ["10.0.0.1"], "localhost": ["127.0.0.1", "::1"],
            "half.example": ["93.184.215.14", "169.254.169.254"], "six.example": ["2606:4700::1111"],
        ]
        return (known[host] ?? []).compactMap { NetworkAddress($0) }
    }
}
