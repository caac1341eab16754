package import ApusConsole
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

    /// The pages of experiments and runs; `registered` tells which registered versions came from a run.
    package func pages(on console: Console, registered: any RegisteredVersions) -> [Route] {
        TrackingPages(console: console, store: store, registered: registered).routes
            + ArtifactPreviewData(store: store, artifacts: artifacts).routes
    }

    /// The routes of a server that only keeps artifacts; the others stay known, so that clients are told why.
    package var artifactsOnlyRoutes: [Route] {
        let open = Set((ServerRoutes(servesArtifacts: servesArtifacts).routes + proxyRoutes).map(\.path))
        return routes.map { open.contains($0.path) ? $0 : $0.disabled(because: Self.artifactsOnly) }
    }

    /// What a server answers that only keeps artifacts.
    package static let artifactsOnly =
        "This server runs with --artifacts-only. Start it without to use tracking and the model registry."

    private var proxyRoutes: [Route] {
        let routes = ArtifactProxyRoutes(service: artifacts).routes
        guard !servesArtifacts else { return routes }
        return routes.map {
            $0.disabled(
                because: "This server runs with --no-serve-artifacts. "
                    + "Start it with --serve-artifacts to keep artifacts on it."
            )
        }
    }
}
