package import Tracking

/// One version of a registered model.
package struct ModelVersion: Sendable, Equatable {
    /// The key inside the database.
    package let id: Int64
    /// The key of the registered model inside the database.
    package let modelID: Int64
    /// The registered model's present name.
    package var name: String
    /// From 1 within the model; never given twice while the model exists.
    package let version: Int64
    /// Milliseconds since the Unix epoch.
    package var creationTime: Int64
    /// Milliseconds since the Unix epoch.
    package var lastUpdatedTime: Int64
    /// Nil after an update without a description; empty when none was given.
    package var description: String?
    package var stage: ModelStage
    /// Where the files are, as the client said; text that the server never opens.
    package var source: String
    /// Where clients download the files from: the source with `models:` resolved.
    package var storageLocation: String
    /// Empty when there is none.
    package var runID: String
    package var runLink: String
    /// The logged model that was registered; empty when there is none.
    package var loggedModelID: String
    package var tags: [KeyValue] = []
    /// Filled for single versions only, as MLflow does.
    package var aliases: [String] = []
}

/// What a client says about a version that it registers.
package struct NewModelVersion: Sendable {
    package var name: String
    package var source: String
    /// Nil when the client did not mention it, which matters for sources in the registry.
    package var runID: String?
    /// Nil when the client did not mention it.
    package var loggedModelID: String?
    package var runLink: String
    package var description: String
    package var tags: [KeyValue]

    package init(
        name: String,
        source: String,
        runID: String? = nil,
        loggedModelID: String? = nil,
        runLink: String = "",
        description: String = "",
        tags: [KeyValue] = []
    ) {
        self.name = name
        self.source = source
        self.runID = runID
        self.loggedModelID = loggedModelID
        self.runLink = runLink
        self.description = description
        self.tags = tags
    }
}
