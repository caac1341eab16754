import ApusDatabase
import ApusGateway
import ApusKernel
import ApusTesting
import ApusVault
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Tracking

/// The routes of tracking behind the front door, with one run.
struct ArtifactFixture: Sendable {
    struct Answer: Sendable {
        let status: Int
        let headers: HTTPFields
        let bytes: ByteBuffer

        var text: String { String(buffer: bytes) }
    }

    static let proxy = "/api/2.0/mlflow-artifacts/artifacts"

    let base: ApusFixture
    let store: TrackingStore
    let responder: GatewayResponder
    let run: String
    private let client: any TestClientProtocol

    /// Where the run's files are for the proxy.
    var root: String { "\(Self.proxy)/0/\(run)/artifacts" }

    static func with(
        _ dialect: Dialect = .sqlite,
        _ body: @escaping @Sendable (ArtifactFixture) async throws -> Void
    ) async throws {
        try await ApusFixture.with(dialect, migrations: TrackingCapability.migrations) { base async throws in
            let store = TrackingStore(database: base.database, ledger: base.ledger, clock: base.clock)
            try await store.prepare()
            let capability = TrackingCapability(store: store, artifacts: base.artifacts)
            let responder = GatewayResponder(
                routes: capability.routes,
                configuration: .init(logger: base.logger)
            )
            let run = try await store.createRun(.init(experimentID: "0")).info.id.rawValue
            try await Application(responder: responder, logger: base.logger).test(.router) { client in
                try await body(
                    ArtifactFixture(base: base, store: store, responder: responder, run: run, client: client)
                )
            }
        }
    }

    @discardableResult
    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if let body { headers[.contentLength] = "\(body.utf8.count)" }
        return try await client.execute(
            uri: path,
            method: method,
            headers: headers,
            body: body.map { ByteBuffer(string: $0) }
        ) { Answer(status: $0.status.code, headers: $0.headers, bytes: $0.body) }
    }

    /// Sends a JSON message.
    @discardableResult
    func post(_ path: String, _ json: String, method: HTTPRequest.Method = .post) async throws -> Answer {
        try await send(method, "/api/2.0/mlflow/\(path)", json, headers: [.contentType: "application/json"])
    }

    /// All files of the tree, whatever they belong to.
    func files() async throws -> [String] {
        try await base.database.read { transaction in
            try transaction.query(
                "SELECT parent, name FROM artifact_entries WHERE is_dir = 0 ORDER BY parent, name"
            ) { "\($0.text(0))/\($0.text(1))" }
        }
    }
}
