import ApusKernel
import ApusVault
package import Tracking

/// What a version came from, and what came of it.
package struct DatasetLineage: Sendable {
    /// The version it was made from.
    package var parent: Int64?
    /// Versions that were made from it.
    package var children: [Int64] = []
    /// Runs that have made it.
    package var writers: [Run.Info] = []
    /// Runs that have read it, the newest first.
    package var readers: [Run.Info] = []
    /// Models that those runs have written.
    package var models: [LoggedModel.Info] = []
}

/// Finds lineage by what runs have said, and by what the inputs tell that MLflow's clients log.
package struct LineageFinder: Sendable {
    let store: DatasetStore
    let tracking: TrackingStore

    /// The most relatives of a kind.
    static let limit = 200
    /// An MLflow dataset's digest has at most so many characters.
    private static let maximumDigestLength = 36

    package init(store: DatasetStore, tracking: TrackingStore) {
        self.store = store
        self.tracking = tracking
    }

    /// The lineage of a version.
    package func lineage(of version: DatasetVersion, in dataset: Dataset) async throws -> DatasetLineage {
        var lineage = DatasetLineage(parent: version.parent)
        lineage.children = try await store.children(of: version.number, in: dataset, limit: Self.limit)
        let uses = try await store.runs(using: version.number, in: dataset, limit: Self.limit)
        lineage.writers = try await tracking.runs(
            uses.filter { $0.use == .wrote }.map(\.run),
            limit: Self.limit
        )
        lineage.readers = try await tracking.runs(
            reading: dataset.name,
            references: try await references(to: version, in: dataset),
            digests: Self.prefixes(version.identifier),
            or: uses.filter { $0.use == .read }.map(\.run),
            limit: Self.limit
        )
        lineage.models = try await tracking.models(
            writtenBy: lineage.readers.map(\.id.rawValue),
            limit: Self.limit
        )
        return lineage
    }

    /// The versions that a run has used, by what it has said and by its inputs.
    package func versions(of run: String) async throws -> [DatasetStore.UsedVersion] {
        var found = try await store.versions(usedBy: run)
        for source in try await tracking.versionsRead(by: run) {
            do {
                let version = try await store.version(source.reference, of: source.dataset)
                let used = DatasetStore.UsedVersion(dataset: source.dataset, version: version.number, use: .read)
                if !found.contains(used) { found.append(used) }
            } catch is DatasetsError {
                // What is no more, or never was, is no lineage.
                continue
            }
        }
        return found
    }

    /// What addresses call a version that stays what it is: its number, its identifier, tags.
    ///
    /// A branch moves on, and nobody knows where it was.
    private func references(to version: DatasetVersion, in dataset: Dataset) async throws -> [String] {
        let tags = try await store.refs(of: dataset.name)
            .filter { $0.kind == .tag && $0.version == version.number }.map(\.name)
        return ["v\(version.number)"] + tags + Self.prefixes(version.identifier) + [version.identifier.hex]
    }

    private static func prefixes(_ identifier: Digest) -> [String] {
        let hex = identifier.hex
        return (8...maximumDigestLength).map { String(hex.prefix($0)) }
    }
}
