package import ApusDatabase
package import ApusGateway
package import ApusLedger
package import ApusVault

/// What datasets bring to the product.
package struct DatasetsCapability: Sendable {
    package let store: DatasetStore
    private let blobs: any BlobStore
    private let tree: VersionTree

    /// - Parameters:
    ///   - database: Has ``migrations``.
    ///   - ledger: Told of every change.
    ///   - blobs: Where bytes are.
    package init(database: Database, ledger: Ledger, blobs: any BlobStore) {
        store = DatasetStore(database: database, ledger: ledger)
        self.blobs = blobs
        tree = VersionTree(blocks: VaultTreeBlocks(blobs: blobs))
    }

    package static var migrations: [Migration] { DatasetStore.migrations }

    package var routes: [Route] {
        DatasetRoutes(store: store).routes + VersionRoutes(store: store, blobs: blobs, tree: tree).routes
            + LFSObjectRoutes(store: store, blobs: blobs).routes + LFSLockRoutes(store: store).routes
            + DVCRoutes(remote: DVCRemote(store: store, blobs: blobs, tree: tree)).routes
    }
}
