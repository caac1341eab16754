import ApusConsole
import ApusGateway
import ApusKernel
import ApusLedger
import ApusTesting
import Hummingbird
import HummingbirdTesting
import Registry
import Testing
import Tracking

/// Walks every route that the capabilities register.
@Suite struct AllRoutesTests {
    /// The routes that anyone may call: they tell nothing about anybody's data.
    private static let open: Set<String> = [
        "health", "version", "3.0/mlflow/server-info", "", "console/assets/{version}/{name}", "console/styleguide",
    ]

    private struct Nobody: Authorizer {
        func authorize(_ permission: Permission, _ request: GatewayRequest) async throws {
            throw RequestError(.permissionDenied, "Permission denied")
        }
    }

    private func with(_ body: @escaping @Sendable ([Route], any TestClientProtocol) async throws -> Void) async throws {
        let migrations = TrackingCapability.migrations + RegistryCapability.migrations
        try await ApusFixture.with(migrations: migrations) { base async throws in
            let store = TrackingStore(database: base.database, ledger: base.ledger, clock: base.clock)
            let tracking = TrackingCapability(store: store, artifacts: base.artifacts)
            let registry = RegistryCapability(
                store: RegistryStore(
                    database: base.database,
                    ledger: base.ledger,
                    runs: store,
                    loggedModels: KnownLoggedModels(run: "x"),
                    sources: try SourcePolicy()
                ),
                artifacts: tracking.artifacts,
                webhooks: WebhookStore(
                    database: base.database,
                    ledger: base.ledger,
                    egress: Egress(),
                    secrets: WebhookSecrets(passphrase: "for tests")
                ),
                logger: base.logger
            )
            let console = Console(prefix: "", version: "0", changes: base.ledger.changes)
            let pages =
                console.routes
                + tracking.pages(on: console, registered: registry.store)
                + registry.pages(on: console, origins: tracking.store)
            let routes = tracking.routes + registry.routes + pages
            let responder = GatewayResponder(
                routes: routes,
                configuration: .init(authorizer: Nobody(), logger: base.logger)
            )
            try await Application(responder: responder, logger: base.logger).test(.router) { client in
                try await body(responder.routes, client)
            }
        }
    }

    @Test func `only the routes on the list are open`() async throws {
        try await with { routes, _ async throws in
            #expect(routes.count > 80)
            #expect(Set(routes.filter { $0.permission == .open }.map(\.path)) == Self.open)
        }
    }

    @Test func `no other route runs without its permission, under any of its paths`() async throws {
        try await with { routes, client async throws in
            for route in routes where route.permission != .open {
                for path in route.servedPaths {
                    let filled = path.split(separator: "/").map { $0.hasPrefix("{") ? "x" : String($0) }
                    let uri = "/" + filled.joined(separator: "/")
                    let status = try await client.execute(uri: uri, method: route.method) { $0.status.code }
                    #expect(status == 403, "\(route.method) \(uri)")
                }
            }
        }
    }

    @Test func `no two routes stand at one place`() async throws {
        try await with { routes, _ async throws in
            let places = routes.flatMap { route in route.servedPaths.map { "\(route.method) \($0)" } }
            #expect(Set(places).count == places.count)
        }
    }
}
