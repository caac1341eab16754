import ApusDatabase

extension TrackingStore {
    /// Where the artifacts of a run are, as its clients know it.
    ///
    /// A run in the trash is refused when it must be active.
    ///
    /// - Throws: `TrackingError.runNotFound` or `runNotActive`.
    package func artifactURI(ofRun id: String, mustBeActive: Bool = false) async throws -> String {
        let found = try await database.read { transaction in
            try transaction.first(
                "SELECT artifact_uri, lifecycle_stage FROM runs WHERE run_uuid = ?",
                [.text(id)]
            ) { (uri: $0.text(0), stage: $0.text(1)) }
        }
        guard let found else { throw TrackingError.runNotFound(id: id) }
        guard !mustBeActive || found.stage == LifecycleStage.active.rawValue else {
            throw TrackingError.runNotActive(id: id)
        }
        return found.uri
    }
}
