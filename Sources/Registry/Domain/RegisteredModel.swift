package import Tracking

/// A named line of model versions.
package struct RegisteredModel: Sendable, Equatable {
    /// The key inside the database; the name may change.
    package let id: Int64
    package var name: String
    /// Milliseconds since the Unix epoch.
    package var creationTime: Int64
    /// Milliseconds since the Unix epoch; tags and aliases do not touch it.
    package var lastUpdatedTime: Int64
    package var description: String
    package var tags: [KeyValue] = []
    package var aliases: [ModelAlias] = []
    /// For each stage the live version with the highest number, by ascending number.
    package var latestVersions: [ModelVersion] = []
}

/// A movable name for one version of a registered model.
package struct ModelAlias: Sendable, Equatable {
    package let alias: String
    package let version: Int64
}
