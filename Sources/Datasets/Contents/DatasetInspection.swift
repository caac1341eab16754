import ApusDatabase
import ApusKernel
package import ApusVault

/// Finds out what damage of the Vault takes from datasets.
package struct DatasetInspection: Sendable {
    private let store: DatasetStore
    private let contents: ContentStore
    private let tree: VersionTree

    /// Files are named up to so many for each damaged blob.
    private static let namedCount = 20

    package init(store: DatasetStore, blobs: any BlobStore) {
        self.store = store
        contents = ContentStore(store: store, blobs: blobs)
        tree = VersionTree(blocks: VaultTreeBlocks(blobs: blobs))
    }

    /// What a damaged or missing blob takes, such as `wine@v3: raw/1.csv`; nothing when no dataset needs it.
    package func losses(by blob: Digest) async throws -> [String] {
        var lost: Set<Digest> = [blob]
        for part in try await contents.digests(inPack: blob) {
            // The others of a damaged pack are whole.
            do {
                _ = try await contents.read([part])
            } catch let error as RequestError where error.code == .dataLoss {
                lost.insert(part)
            }
        }
        var losses: [String] = []
        for dataset in try await store.datasets(with: Array(lost)) {
            for version in try await store.allVersions(of: dataset) {
                losses += try await self.losses(of: lost, version, dataset)
                if losses.count >= Self.namedCount { return losses + ["and perhaps more"] }
            }
        }
        return losses
    }

    private func losses(of lost: Set<Digest>, _ version: DatasetVersion, _ dataset: Dataset) async throws -> [String] {
        let name = "\(dataset.name)@v\(version.number)"
        do {
            var found: [String] = []
            for try await file in tree.entries(of: version.root) where lost.contains(file.digest) {
                found.append("\(name): \(file.path)")
                if found.count >= Self.namedCount { break }
            }
            return found
        } catch let error as RequestError where error.code == .dataLoss {
            return ["\(name): the list of its files"]
        }
    }

    /// Contents that datasets need and the Vault has not, up to some, and how many were looked at.
    package func missing(limit: Int = 100) async throws -> (digests: [Digest], examined: Int) {
        var missing: [Digest] = []
        var examined = 0
        var last = ""
        while missing.count < limit {
            let page = try await store.neededContents(after: last)
            guard let end = page.last else { break }
            last = end.hex
            examined += page.count
            let present = try await contents.sizes(of: page)
            missing += page.filter { present[$0] == nil }
        }
        return (missing, examined)
    }
}

extension DatasetStore {
    /// The datasets that have some contents or blocks.
    func datasets(with digests: [Digest]) async throws -> [Dataset] {
        let names = try await database.read { transaction in
            try transaction.query(
                """
                SELECT DISTINCT d.name FROM dataset_blobs b
                JOIN versioned_datasets d ON d.dataset_id = b.dataset_id
                WHERE b.digest IN (?*) ORDER BY d.name
                """,
                [.texts(digests.map(\.hex))]
            ) { $0.text(0) }
        }
        var found: [Dataset] = []
        for name in names { if let dataset = try await find(name) { found.append(dataset) } }
        return found
    }

    /// All versions of a dataset, the youngest first.
    func allVersions(of dataset: Dataset) async throws -> [DatasetVersion] {
        try await database.read { transaction in
            try transaction.query(
                "SELECT \(Self.versionColumns) FROM dataset_versions v WHERE v.dataset_id = ? ORDER BY v.number DESC",
                [.integer(dataset.id)]
            ) { try Self.version($0, firstColumn: 0) }
        }
    }

    /// A page of the digests that datasets need, in their order.
    func neededContents(after last: String) async throws -> [Digest] {
        try await database.read { transaction in
            try transaction.query(
                "SELECT DISTINCT digest FROM dataset_blobs WHERE digest > ? ORDER BY digest LIMIT 2000",
                [.text(last)]
            ) { Digest(hex: $0.text(0)) }
        }.compactMap { $0 }
    }
}
