package import Tracking

/// The runs and logged models that versions came from, for the pages that show them.
package protocol VersionOrigins: Sendable {
    /// Nil when there is no such run.
    func originRun(_ id: String) async throws -> Run?
    /// Nil when there is no such model, or when it is deleted.
    func originModel(_ id: String) async throws -> LoggedModel?
}

extension TrackingStore: VersionOrigins {
    package func originRun(_ id: String) async throws -> Run? {
        guard !id.isEmpty else { return nil }
        do { return try await run(id: id) } catch TrackingError.runNotFound { return nil }
    }

    package func originModel(_ id: String) async throws -> LoggedModel? {
        guard !id.isEmpty else { return nil }
        do { return try await loggedModel(id: id) } catch TrackingError.loggedModelNotFound { return nil }
    }
}
