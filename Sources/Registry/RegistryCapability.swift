package import ApusDatabase
package import ApusGateway

/// What the registry brings to the product.
package struct RegistryCapability: Sendable {
    package let store: RegistryStore

    package init(store: RegistryStore) {
        self.store = store
    }

    package static var migrations: [Migration] { RegistryStore.migrations }

    package var routes: [Route] {
        RegisteredModelRoutes(store: store).routes + ModelVersionRoutes(store: store).routes
            + AliasRoutes(store: store).routes
    }
}
