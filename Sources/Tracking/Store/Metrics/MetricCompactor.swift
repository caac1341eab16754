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
    /// A run that has ended with a tail of this many bytes is taken apart too: charts would read all of it each time.
    private static let endedBytes = 256 << 10
    private static let leastPointsPerKey = 16
    /// So many chunks of about the same size become one; a power of two.
    private static let mergedChunks = 32
    /// A chunk of this many points stays as it is.
    private static let fullPoints = MetricChunk.capacity / 2
    /// Metrics that are looked at in one query.
    private static let keysAtOnce = 500
    /// Runs that are counted at once; when more are written to, counting begins anew.
    private static let countedRuns = 100_000

    private let database: Database
    private let state = Mutex(State())

    init(database: Database) {
        self.database = database
    }

    /// The runs whose tails have grown and wait for being taken apart.
    package var waitingRuns: Int { state.withLock { $0.due.count } }

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

    /// Notes that nothing more is expected of a run.
    func noteEnd(run: Int64) {
        let waiting: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard let tail = state.tails[run], tail.bytes >= Self.endedBytes else { return nil }
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
            async let upgraded: Void = upgradeChunks()
            while let run = await nextDue() {
                // A tail that could not be taken apart stays readable as it is.
                try? await compact(run: run)
            }
            _ = await upgraded
        } onCancelOrGracefulShutdown: { [self] in
            let waiting = state.withLock { state in
                state.isClosed = true
                defer { state.waiting = nil }
                return state.waiting
            }
            waiting?.resume()
        }
    }

    /// Takes the tail of a run apart, and merges chunks that have become many.
    package func compact(run: Int64) async throws {
        while true {
            let taken = try await database.write { transaction in try Self.compactSome(of: run, transaction) }
            try await mergeChunks(of: taken.keys, run: run)
            if taken.rows < Self.dueRows { return }
        }
    }

    /// - Returns: The number of tail rows that were taken apart, and the keys of their points.
    private static func compactSome(
        of run: Int64,
        _ transaction: Transaction
    ) throws -> (rows: Int, keys: [Int64]) {
        try transaction.lock("metrics/\(run)")
        var points: [Int64: [MetricPack.Point]] = [:]
        var bytes = 0
        let ids = try transaction.query(
            "SELECT tail_id, points FROM metric_tail WHERE run_id = ? ORDER BY tail_id LIMIT \(dueRows)",
            [.integer(run)]
        ) { row in
            let tail = row.blob(1)
            bytes += tail.count
            MetricPack.forEachInTail(tail) { points[$0, default: []].append($1) }
            return row.integer(0)
        }
        let keys = points.keys.sorted()
        // A run that logged each of very many metrics a few times: a chunk for each would be larger than its points.
        let isSparse = points.values.reduce(0) { $0 + $1.count } < keys.count * leastPointsPerKey
        guard !ids.isEmpty, !isSparse || bytes >= dueBytes || ids.count == dueRows else { return (0, []) }
        for key in keys { points[key]?.sortAndDeduplicate() }
        try MetricChunk.insert(
            keys.flatMap { MetricChunk.chunks(of: points[$0] ?? [], run: run, key: $0) },
            transaction
        )
        try transaction.execute("DELETE FROM metric_tail WHERE tail_id IN (?*)", [.integers(ids)])
        return (ids.count, keys)
    }

    // MARK: Merging

    /// Merges chunks of about the same size when there are many of them, so that a history has few.
    ///
    /// A point is written again for each step of size, a factor of ``mergedChunks`` each, until its chunk is full.
    private func mergeChunks(of keys: [Int64], run: Int64) async throws {
        for start in stride(from: 0, to: keys.count, by: Self.keysAtOnce) {
            let some = Array(keys[start..<min(start + Self.keysAtOnce, keys.count)])
            let many = try await database.read { try Self.keysWithManyChunks(some, run, $0) }
            for key in many {
                try await database.write { transaction in
                    try transaction.lock("metrics/\(run)")
                    try Self.merge(key, of: run, transaction)
                }
            }
        }
    }

    private static func keysWithManyChunks(
        _ keys: [Int64],
        _ run: Int64,
        _ transaction: Transaction
    ) throws -> [Int64] {
        try transaction.query(
            """
            SELECT key_id FROM metric_chunks
            WHERE run_id = ? AND key_id IN (?*) AND point_count < \(fullPoints)
            GROUP BY key_id
            HAVING COUNT(*) >= \(mergedChunks)
            """,
            [.integer(run), .integers(keys)]
        ) { $0.integer(0) }
    }

    private static func merge(_ key: Int64, of run: Int64, _ transaction: Transaction) throws {
        var tiers: [Int: [Int64]] = [:]
        try transaction.forEach(
            """
            SELECT chunk_id, point_count FROM metric_chunks
            WHERE run_id = ? AND key_id = ? AND point_count < \(fullPoints)
            """,
            [.integer(run), .integer(key)]
        ) { row in
            let digits = Int64.bitWidth - row.integer(1).leadingZeroBitCount
            tiers[digits / mergedChunks.trailingZeroBitCount, default: []].append(row.integer(0))
        }
        for ids in tiers.values where ids.count >= mergedChunks { try rewrite(ids, run, key, transaction) }
    }

    /// Puts new chunks in the place of others of one metric.
    private static func rewrite(_ ids: [Int64], _ run: Int64, _ key: Int64, _ transaction: Transaction) throws {
        var points: [MetricPack.Point] = []
        try transaction.forEach(
            "SELECT points FROM metric_chunks WHERE chunk_id IN (?*) ORDER BY min_timestamp, chunk_id",
            [.integers(ids)]
        ) { MetricPack.append(chunk: $0.blob(0), to: &points) }
        points.sortAndDeduplicate()
        try transaction.execute("DELETE FROM metric_chunks WHERE chunk_id IN (?*)", [.integers(ids)])
        try MetricChunk.insert(MetricChunk.chunks(of: points, run: run, key: key), transaction)
    }

    // MARK: What an earlier process left

    /// Finds tails that were left.
    private func findTails() async {
        let found = try? await database.read(limit: .seconds(60)) { transaction in
            try transaction.query(
                "SELECT run_id FROM metric_tail GROUP BY run_id HAVING COUNT(*) >= \(Self.dueRows)"
            ) { $0.integer(0) }
        }
        state.withLock { $0.due.formUnion(found ?? []) }
    }

    /// Writes a chunk anew that an earlier version wrote, with its levels.
    ///
    /// - Returns: Whether there was one.
    package func upgradeChunk() async throws -> Bool {
        let found = try await database.read { transaction in
            try transaction.first("SELECT chunk_id, run_id, key_id FROM metric_chunks WHERE point_count = 0") {
                (chunk: $0.integer(0), run: $0.integer(1), key: $0.integer(2))
            }
        }
        guard let found else { return false }
        try await database.write { transaction in
            try transaction.lock("metrics/\(found.run)")
            try Self.rewrite([found.chunk], found.run, found.key, transaction)
        }
        return true
    }

    /// Takes old chunks one at a time, and rests in between: nobody waits for it.
    private func upgradeChunks() async {
        do {
            while try await upgradeChunk(), !state.withLock({ $0.isClosed }) {
                try await Task.sleep(for: .milliseconds(2))
            }
        } catch {
            // Charts read old chunks as they are; the rest is found at the next start.
        }
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
