import ApusDatabase
import ServiceLifecycle
import Synchronization

/// Sorts points by metric, in the background.
///
/// A request that logs a thousand metrics must not touch a thousand places on disk, so it adds one row, the *tail*,
/// with all of its points. When a run's tail has grown, this service takes its rows apart and writes one *chunk* for
/// each metric. Readers look at both, in one snapshot, so they never see a difference.
package final class MetricCompactor: Service {
    private struct Tail {
        var rows = 0
        var bytes = 0
    }

    private struct State {
        var tails: [Int64: Tail] = [:]
        var due: Set<Int64> = []
        var waiting: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    /// A tail of this many rows or bytes is taken apart.
    static let dueRows = 256
    static let dueBytes = 2 << 20
    /// Runs that are counted at once; when more are written to, counting begins anew.
    private static let countedRuns = 100_000

    private let database: Database
    private let state = Mutex(State())

    init(database: Database) {
        self.database = database
    }

    /// Counts what a request added, after it is durable.
    func noteTail(run: Int64, bytes: Int) {
        let waiting: CheckedContinuation<Void, Never>? = state.withLock { state in
            if state.tails.count >= Self.countedRuns { state.tails.removeAll() }
            var tail = state.tails[run] ?? Tail()
            tail.rows += 1
            tail.bytes += bytes
            guard tail.rows >= Self.dueRows || tail.bytes >= Self.dueBytes else {
                state.tails[run] = tail
                return nil
            }
            state.tails[run] = nil
            state.due.insert(run)
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    /// Works until the server stops; a tail that is left is found again at the next start.
    package func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await findTails()
            while let run = await nextDue() {
                // A tail that could not be taken apart stays readable as it is.
                try? await compact(run: run)
            }
        } onCancelOrGracefulShutdown: { [self] in
            let waiting = state.withLock { state in
                state.isClosed = true
                defer { state.waiting = nil }
                return state.waiting
            }
            waiting?.resume()
        }
    }

    /// Takes the tail of a run apart.
    package func compact(run: Int64) async throws {
        var rows = Self.dueRows
        while rows == Self.dueRows {
            rows = try await database.write { transaction in try Self.compactSome(of: run, transaction) }
        }
    }

    /// - Returns: The number of tail rows that were taken apart.
    private static func compactSome(of run: Int64, _ transaction: Transaction) throws -> Int {
        try transaction.lock("metrics/\(run)")
        var points: [Int64: [MetricPack.Point]] = [:]
        let ids = try transaction.query(
            "SELECT tail_id, points FROM metric_tail WHERE run_id = ? ORDER BY tail_id LIMIT \(dueRows)",
            [.integer(run)]
        ) { row in
            MetricPack.forEachInTail(row.blob(1)) { points[$0, default: []].append($1) }
            return row.integer(0)
        }
        guard !ids.isEmpty else { return 0 }
        let keys = points.keys.sorted()
        for key in keys { points[key]?.sortAndDeduplicate() }
        let sorted = keys.map { points[$0] ?? [] }
        try transaction.insert(
            BulkInsert(
                into: "metric_chunks",
                [
                    ("run_id", .integers(keys.map { _ in run })),
                    ("key_id", .integers(keys)),
                    ("min_timestamp", .integers(sorted.map { $0.first?.timestamp ?? 0 })),
                    ("max_timestamp", .integers(sorted.map { $0.last?.timestamp ?? 0 })),
                    ("points", .blobs(sorted.map(MetricPack.chunk))),
                ],
                conflict: ""
            )
        )
        try transaction.execute("DELETE FROM metric_tail WHERE tail_id IN (?*)", [.integers(ids)])
        return ids.count
    }

    /// Finds what an earlier process left.
    private func findTails() async {
        let found = try? await database.read(limit: .seconds(60)) { transaction in
            try transaction.query(
                "SELECT run_id FROM metric_tail GROUP BY run_id HAVING COUNT(*) >= \(Self.dueRows)"
            ) { $0.integer(0) }
        }
        state.withLock { $0.due.formUnion(found ?? []) }
    }

    /// Waits for a run; nil when the server stops.
    private func nextDue() async -> Int64? {
        while true {
            let (run, isClosed) = state.withLock { ($0.due.popFirst(), $0.isClosed) }
            if isClosed { return nil }
            if let run { return run }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    guard state.due.isEmpty, !state.isClosed else { return true }
                    state.waiting = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }
}
