package import Registry
import Tracking

/// What the registry needs to know of logged models, answered by tracking.
extension TrackingStore: LoggedModelDirectory {
    package func origin(ofLoggedModel id: String) async throws -> LoggedModelOrigin? {
        do {
            let model = try await loggedModel(id: id)
            return LoggedModelOrigin(artifactURI: model.info.artifactURI, sourceRunID: model.info.sourceRunID)
        } catch TrackingError.loggedModelNotFound {
            return nil
        }
    }
}
