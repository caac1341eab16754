package import ApusDatabase
package import Tracking

/// The runs that versions come from, as far as the registry needs them.
package protocol RunDirectory: Sendable {
    /// Where a run's artifacts are; nil when there is no such run.
    func artifactRoot(ofRun id: String) async throws -> String?
}

/// The logged models that versions come from, as far as the registry needs them.
package protocol LoggedModelDirectory: Sendable {
    /// Where a logged model comes from; nil when there is none, or when it is deleted.
    func origin(ofLoggedModel id: String) async throws -> LoggedModelOrigin?

    /// Notes on a logged model that it was registered, in the tag `mlflow.modelVersions`.
    ///
    /// Runs in the transaction that makes the version, so that both happen or none.
    func noteRegistration(ofLoggedModel id: String, name: String, version: Int64, in transaction: Transaction) throws
}

/// Where a logged model's files are and which run made it.
package struct LoggedModelOrigin: Sendable, Equatable {
    package let artifactURI: String
    /// Empty when no run made it.
    package let sourceRunID: String

    package init(artifactURI: String, sourceRunID: String) {
        self.artifactURI = artifactURI
        self.sourceRunID = sourceRunID
    }
}

extension TrackingStore: RunDirectory {
    package func artifactRoot(ofRun id: String) async throws -> String? {
        do {
            return try await run(id: id).info.artifactURI
        } catch TrackingError.runNotFound {
            return nil
        }
    }
}
