package import ApusDatabase
package import ApusGateway
package import ServiceLifecycle

/// What tracking brings to the product.
package struct TrackingCapability: Sendable {
    package let store: TrackingStore

    package init(store: TrackingStore) {
        self.store = store
    }

    package static var migrations: [Migration] { TrackingStore.migrations }

    /// What works in the background.
    package var services: [any Service] { [store.compactor] }

    package var routes: [Route] {
        ServerRoutes().routes + ExperimentRoutes(store: store).routes + RunRoutes(store: store).routes
            + MetricRoutes(store: store).routes + InputRoutes(store: store).routes
            + LoggedModelRoutes(store: store).routes
    }
}
