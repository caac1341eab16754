package import ApusDatabase
package import ApusGateway
package import ApusVault
package import ServiceLifecycle

/// What tracking brings to the product.
package struct TrackingCapability: Sendable {
    package let store: TrackingStore
    /// The files of runs and logged models; the registry hands out those of model versions.
    package let artifacts: ArtifactService

    package init(store: TrackingStore, artifacts: ArtifactStore) {
        self.store = store
        self.artifacts = ArtifactService(artifacts: artifacts, ledger: store.ledger)
    }

    package static var migrations: [Migration] { TrackingStore.migrations }

    /// What works in the background.
    package var services: [any Service] { [store.compactor] }

    package var routes: [Route] {
        ServerRoutes().routes + ExperimentRoutes(store: store).routes + RunRoutes(store: store).routes
            + MetricRoutes(store: store).routes + InputRoutes(store: store).routes
            + LoggedModelRoutes(store: store).routes + ArtifactProxyRoutes(service: artifacts).routes
            + ArtifactRoutes(store: store, service: artifacts).routes
    }
}
