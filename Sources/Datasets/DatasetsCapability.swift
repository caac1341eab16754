package import ApusConsole
package import ApusDatabase
package import ApusGateway
package import ApusLedger
package import ApusVault
package import Tracking

/// What datasets bring to the product.
package struct DatasetsCapability: Sendable {
    package let store: DatasetStore
    private let blobs: any BlobStore
    private let contents: ContentStore
    private let tree: VersionTree
    private let lineage: LineageFinder

    /// - Parameters:
    ///   - database: Has ``migrations``.
    ///   - ledger: Told of every change.
    ///   - blobs: Where bytes are.
    ///   - tracking: Where runs and their inputs are.
    package init(database: Database, ledger: Ledger, blobs: any BlobStore, tracking: TrackingStore) {
        store = DatasetStore(database: database, ledger: ledger)
        self.blobs = blobs
        contents = ContentStore(store: store, blobs: blobs)
        tree = VersionTree(blocks: VaultTreeBlocks(blobs: blobs))
        lineage = LineageFinder(store: store, tracking: tracking)
    }

    package static var migrations: [Migration] { DatasetStore.migrations }

    package var routes: [Route] {
        DatasetRoutes(store: store).routes + VersionRoutes(store: store, contents: contents, tree: tree).routes
            + ContentRoutes(store: store, contents: contents).routes
            + CommitRoutes(committer: DatasetCommitter(store: store, contents: contents, tree: tree)).routes
            + LineageRoutes(finder: lineage).routes + ArchiveRoutes(store: store, contents: contents, tree: tree).routes
            + LFSObjectRoutes(store: store, blobs: blobs).routes + LFSLockRoutes(store: store).routes
            + RecordRoutes(store: store, inbox: RecordInbox(store: store, blobs: blobs, tree: tree)).routes
            + DVCRoutes(remote: DVCRemote(store: store, blobs: blobs, tree: tree)).routes
    }

    /// The pages of datasets.
    package func pages(on console: Console) -> [Route] {
        DatasetsPages(
            console: console,
            store: store,
            contents: contents,
            tree: tree,
            sections: [LineageSection(finder: lineage)]
        ).routes
    }
}
