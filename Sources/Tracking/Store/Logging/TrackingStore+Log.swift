import ApusDatabase
import ApusKernel

extension TrackingStore {
    /// Logs metrics, params and tags to an active run, all or nothing.
    ///
    /// - Throws: `TrackingError.runNotFound`, `runNotActive`, `paramsChanged` or `loggedModelNotFound`.
    package func log(_ batch: LogBatch) async throws {
        try await logs.submit(batch)
    }

    /// Logs one param; the same value again does nothing.
    ///
    /// - Throws: `TrackingError.paramChanged` when it has another value already.
    package func logParam(run id: String, _ param: KeyValue) async throws {
        var batch = LogBatch(runID: id)
        batch.params = [try Limits.param(param)]
        batch.isSingleParam = true
        try await log(batch)
    }

    /// Sets a tag of an active run.
    package func setTag(run id: String, _ tag: KeyValue) async throws {
        var batch = LogBatch(runID: id)
        let tag = try Limits.runTag(tag)
        // An empty name leaves the run's name as it is; the run is looked up all the same.
        batch.tags = tag.key == runNameTag && tag.value.isEmpty ? [] : [tag]
        try await log(batch)
    }
}
