import ApusKernel
internal import Dispatch
internal import Logging
import Synchronization

/// Owns the connection that writes, and commits the requests that wait together in one transaction.
///
/// A sync of the log costs as much for one request as for a hundred. Each request runs in a savepoint, so that one
/// that fails does not undo its neighbours; none is acknowledged before the commit is on disk.
final class SQLiteWriter: Sendable {
    /// A request for the writer.
    ///
    /// `finish` is called once: with nil when its changes are durable.
    struct Job: Sendable {
        let run: @Sendable (SQLiteConnection) throws -> Void
        let finish: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var waiting: [Job] = []
        var isDraining = false
        /// Set after a failed sync: what the kernel dropped cannot be told, so nothing more is acknowledged.
        var failure: DatabaseError?
    }

    /// More waiting requests than this are refused.
    static let queueLimit = 20_000
    /// The most requests in one transaction, which bounds what a commit can delay.
    private static let groupLimit = 512
    private static let groupNanoseconds: UInt64 = 25_000_000

    private let queue = DispatchQueue(label: "apus.sqlite.writer")
    private let connection: UnsafeConnection
    private let state = Mutex(State())
    private let logger: Logger

    /// Sound because only the writer's serial queue touches the connection.
    private struct UnsafeConnection: @unchecked Sendable {
        let value: SQLiteConnection
    }

    init(_ connection: sending SQLiteConnection, logger: Logger) {
        self.connection = UnsafeConnection(value: connection)
        self.logger = logger
    }

    /// The requests that wait for the writer.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    func submit(_ job: Job) {
        let refusal: DatabaseError? = state.withLock { state in
            if let failure = state.failure { return failure }
            guard state.waiting.count < Self.queueLimit else {
                return DatabaseError(.overloaded, "\(state.waiting.count) writes are waiting")
            }
            state.waiting.append(job)
            if !state.isDraining {
                state.isDraining = true
                queue.async { self.drain() }
            }
            return nil
        }
        if let refusal { job.finish(refusal) }
    }

    /// Runs after the requests that were submitted before, outside any transaction.
    func runAlone<T: Sendable>(_ body: @escaping @Sendable (SQLiteConnection) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body(self.connection.value) }) }
        }
    }

    private func drain() {
        while true {
            let group: [Job] = state.withLock { state in
                let count = min(state.waiting.count, Self.groupLimit)
                let group = Array(state.waiting.prefix(count))
                state.waiting.removeFirst(count)
                if group.isEmpty { state.isDraining = false }
                return group
            }
            guard !group.isEmpty else { return }
            commit(group[...])
        }
    }

    private func commit(_ group: ArraySlice<Job>) {
        var rest = group
        while !rest.isEmpty {
            if let failure = state.withLock({ $0.failure }) {
                for job in rest { job.finish(failure) }
                return
            }
            rest = commitSome(of: rest)
        }
    }

    /// Commits as many jobs from the front as fit into the time slice, and returns the others.
    private func commitSome(of group: ArraySlice<Job>) -> ArraySlice<Job> {
        let database = connection.value
        var done: [Job] = []
        var refused: [(Job, any Error)] = []
        var rest = group
        do {
            try database.run("BEGIN IMMEDIATE")
        } catch {
            // Nobody who waits can be served now; whoever comes later finds out anew.
            if !database.isIdle { try? database.run("ROLLBACK") }
            noteFailure(error)
            let others = state.withLock { state in
                defer { state.waiting.removeAll() }
                return state.waiting
            }
            for job in group + others { job.finish(error) }
            return []
        }
        do {
            let stop = monotonicNanoseconds() + Self.groupNanoseconds
            repeat {
                guard let job = rest.popFirst() else { break }
                do {
                    try runInSavepoint(job, database)
                    done.append(job)
                } catch {
                    refused.append((job, error))
                    // A full disk or a failed write has undone the neighbours too.
                    if database.isIdle { throw error }
                }
            } while !rest.isEmpty && monotonicNanoseconds() < stop
            try database.run("COMMIT")
        } catch {
            if !database.isIdle { try? database.run("ROLLBACK") }
            noteFailure(error)
            let shown = error as? DatabaseError ?? DatabaseError(.unavailable, "the transaction was undone: \(error)")
            for job in done { job.finish(shown) }
            done = []
        }
        for job in done { job.finish(nil) }
        for (job, error) in refused { job.finish(error) }
        return rest
    }

    private func runInSavepoint(_ job: Job, _ database: SQLiteConnection) throws {
        try database.execute("SAVEPOINT request", [])
        do {
            try job.run(database)
            try database.execute("RELEASE request", [])
        } catch {
            if !database.isIdle {
                try database.execute("ROLLBACK TO request", [])
                try database.execute("RELEASE request", [])
            }
            throw error
        }
    }

    private func noteFailure(_ error: any Error) {
        guard let error = error as? DatabaseError else { return }
        logger.error("a commit failed", metadata: ["error": "\(error.detail)"])
        guard error.kind == .damaged else { return }
        state.withLock {
            $0.failure = DatabaseError(.unavailable, "writes stopped after a failed sync: \(error.detail)")
        }
    }
}
