package import ApusDatabase
package import ApusGateway
import ApusKernel
package import ApusVault
package import ServiceLifecycle

/// What tracking brings to the product.
package struct TrackingCapability: Sendable {
    package let store: TrackingStore
    /// The files of runs and logged models; the registry hands out those of model versions.
    package let artifacts: ArtifactService
    private let servesArtifacts: Bool

    /// - Parameters:
    ///   - store: Where experiments, runs and models are.
    ///   - artifacts: Where files are.
    ///   - servesArtifacts: Whether clients may read and write files through this server.
    package init(store: TrackingStore, artifacts: ArtifactStore, servesArtifacts: Bool = true) {
        self.store = store
        self.servesArtifacts = servesArtifacts
        self.artifacts = ArtifactService(artifacts: artifacts, ledger: store.ledger)
    }

    package static var migrations: [Migration] { TrackingStore.migrations }

    /// What works in the background.
    package var services: [any Service] { [store.compactor] }

    package var routes: [Route] {
        ServerRoutes(servesArtifacts: servesArtifacts).routes + ExperimentRoutes(store: store).routes
            + RunRoutes(store: store).routes
            + MetricRoutes(store: store).routes + InputRoutes(store: store).routes
            + LoggedModelRoutes(store: store).routes + proxyRoutes
            + ArtifactRoutes(store: store, service: artifacts).routes
    }

    /// The proxy's routes stay known when it is off, so that clients are told why.
    private var proxyRoutes: [Route] {
        let routes = ArtifactProxyRoutes(service: artifacts).routes
        guard !servesArtifacts else { return routes }
        return routes.map { route in
            Route(route.method, route.path, route.exposure, route.permission) { _ in
                throw RequestError(
                    .notImplemented,
                    "This server runs with --no-serve-artifacts. Start it with --serve-artifacts to keep artifacts on it."
                )
            }
        }
    }
}
