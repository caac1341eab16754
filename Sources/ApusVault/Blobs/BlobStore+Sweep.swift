package import ApusKernel

/// What a sweep did.
package struct SweepReport: Hashable, Sendable {
    /// The blobs that were looked at.
    package var examinedCount = 0
    /// The blobs that were removed, or would have been in a dry run.
    package var removedCount = 0
    /// The bytes of those.
    package var removedBytes: Int64 = 0

    package init() {}
}

extension BlobStore {
    /// Removes the blobs that nothing refers to.
    ///
    /// Whoever writes a blob refers to it within the grace time. A write of a content that is about to be swept makes
    /// it young again, and the age is looked at once more at the moment of removal, so no acknowledged content is lost.
    ///
    /// - Parameters:
    ///   - grace: Blobs that were written within this time are kept.
    ///   - clock: Tells what the time is now.
    ///   - dryRun: Whether to count only.
    ///   - isReferenced: Returns those of up to 1000 digests that something refers to. When it throws, the sweep stops.
    /// - Returns: What was removed.
    /// - Throws: What `isReferenced` throws, or ``VolumeError``.
    package func sweep(
        olderThan grace: Duration = .seconds(3600),
        at clock: any WallClock = SystemWallClock(),
        dryRun: Bool = false,
        isReferenced: @Sendable ([Digest]) async throws -> Set<Digest>
    ) async throws -> SweepReport {
        let (seconds, attoseconds) = grace.components
        let cutoff = clock.milliseconds - seconds * 1000 - attoseconds / 1_000_000_000_000_000
        var report = SweepReport()
        var last: Digest?
        while true {
            try Task.checkCancellation()
            let page = try await list(after: last, limit: 1000)
            guard let end = page.last else { return report }
            last = end.digest
            report.examinedCount += page.count
            let old = page.filter { $0.writtenMilliseconds < cutoff }
            guard !old.isEmpty else { continue }
            let referenced = try await isReferenced(old.map(\.digest))
            let garbage = old.filter { !referenced.contains($0.digest) }
            let removed =
                dryRun ? garbage : try await delete(garbage.map(\.digest), writtenBefore: cutoff)
            report.removedCount += removed.count
            report.removedBytes += removed.reduce(0) { $0 + $1.sizeBytes }
        }
    }
}
