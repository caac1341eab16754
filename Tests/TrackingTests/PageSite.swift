import ApusConsole
import ApusDatabase
import ApusGateway
import ApusKernel
import ApusLedger
import ApusTesting
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Tracking

private struct NoVersions: RegisteredVersions {
    func versions(ofRun id: String) async throws -> [RegisteredVersion] { [] }
}

/// Tracking's pages over a fresh database, without a socket.
struct PageSite: Sendable {
    let store: TrackingStore
    let database: Database
    let client: any TestClientProtocol

    func get(_ path: String) async throws -> (status: Int, text: String, headers: HTTPFields) {
        try await client.execute(uri: path, method: .get, headers: [:]) { response in
            (response.status.code, String(buffer: response.body), response.headers)
        }
    }

    static func with(_ dialect: Dialect, _ body: @escaping @Sendable (PageSite) async throws -> Void) async throws {
        try await ApusFixture.with(dialect, migrations: TrackingCapability.migrations) { base async throws in
            let store = TrackingStore(database: base.database, ledger: base.ledger, clock: base.clock)
            try await store.prepare()
            let capability = TrackingCapability(store: store, artifacts: base.artifacts)
            let console = Console(prefix: "", version: "0", changes: base.ledger.changes)
            let responder = GatewayResponder(
                routes: console.routes + capability.pages(on: console, registered: NoVersions()),
                configuration: .init(logger: base.logger)
            )
            try await Application(responder: responder, logger: base.logger).test(.router) { client in
                try await body(PageSite(store: store, database: base.database, client: client))
            }
        }
    }
}
