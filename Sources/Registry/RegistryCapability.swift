package import ApusConsole
package import ApusDatabase
package import ApusGateway
package import Logging
package import ServiceLifecycle
package import Tracking

/// What the registry brings to the product.
package struct RegistryCapability: Sendable {
    package let store: RegistryStore
    package let webhooks: WebhookStore
    private let deliveries: WebhookService
    private let artifacts: ArtifactService

    package init(
        store: RegistryStore,
        artifacts: ArtifactService,
        webhooks: WebhookStore,
        deliveries: WebhookService.Configuration = WebhookService.Configuration(),
        logger: Logger
    ) {
        self.store = store
        self.artifacts = artifacts
        self.webhooks = webhooks
        self.deliveries = WebhookService(store: webhooks, configuration: deliveries, logger: logger)
    }

    package static var migrations: [Migration] { RegistryStore.migrations }

    package var routes: [Route] {
        RegisteredModelRoutes(store: store).routes + ModelVersionRoutes(store: store).routes
            + AliasRoutes(store: store).routes + WebhookRoutes(store: webhooks).routes
            + ModelVersionArtifactRoutes(store: store, artifacts: artifacts).routes
    }

    /// The pages of registered models; `origins` knows the runs and logged models that versions came from.
    package func pages(on console: Console, origins: any VersionOrigins) -> [Route] {
        RegistryPages(console: console, store: store, artifacts: artifacts, origins: origins).routes
    }

    /// What runs beside the routes; to be stopped before the Ledger.
    package var services: [any Service] { [deliveries] }
}
