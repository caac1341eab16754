import ApusKernel
import Synchronization

/// Lends connections, each on a thread of its own, first come first served.
final class ConnectionPool: Sendable {
    /// Owns one connection; work on it runs on the actor's own thread and may block.
    actor Worker {
        private let executor: QueueExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        private let open: @Sendable () throws -> any SQLConnection
        private var connection: (any SQLConnection)?
        private var failure: (error: any Error, moment: UInt64)?

        init(label: String, open: @escaping @Sendable () throws -> any SQLConnection) {
            executor = QueueExecutor(label: label)
            self.open = open
        }

        /// Runs `body` with the connection, opening it first if need be.
        ///
        /// A connection that has waited may have died since, as when the server was started anew. Nothing was changed
        /// then, so the work is done once more, on a new one.
        func run<T: Sendable>(_ body: @Sendable (any SQLConnection) throws -> T) throws -> T {
            guard let kept = connection else { return try runOnce(reopen(), body) }
            do {
                return try runOnce(kept, body)
            } catch let error as DatabaseError where error.kind == .unavailable {
                return try runOnce(reopen(), body)
            }
        }

        private func runOnce<T>(
            _ usable: any SQLConnection,
            _ body: (any SQLConnection) throws -> T
        ) throws -> T {
            connection = usable
            do {
                return try body(usable)
            } catch let error as DatabaseError where error.kind == .unavailable || error.kind == .unknownOutcome {
                connection = nil
                throw error
            }
        }

        func close() { connection = nil }

        /// Opens a connection, but not right after that failed: those who wait would all pay for the next failure.
        private func reopen() throws -> any SQLConnection {
            if let (error, moment) = failure, monotonicNanoseconds() < moment + 1_000_000_000 { throw error }
            do {
                let opened = try open()
                failure = nil
                return opened
            } catch {
                failure = (error, monotonicNanoseconds())
                throw error
            }
        }
    }

    private struct Waiting {
        let id: UInt64
        let continuation: CheckedContinuation<Worker?, Never>
    }

    private struct State {
        var idle: [Worker]
        var waiting: [Waiting] = []
        var nextID: UInt64 = 0
    }

    /// More waiting requests than this are refused.
    private static let queueLimit = 4_096
    private let workers: [Worker]
    private let patience: Duration
    private let state: Mutex<State>

    /// - Parameters:
    ///   - label: Names the threads.
    ///   - count: The most connections.
    ///   - patience: How long a request waits for a connection.
    ///   - open: Makes a connection; may block.
    init(
        label: String,
        count: Int,
        patience: Duration,
        open: @escaping @Sendable () throws -> any SQLConnection
    ) {
        workers = (0..<count).map { Worker(label: "\(label)-\($0)", open: open) }
        self.patience = patience
        state = Mutex(State(idle: workers.reversed()))
    }

    /// The requests that wait for a connection.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Runs `body` with a connection.
    ///
    /// - Throws: ``DatabaseError`` of kind `overloaded` when none is free in time, and what `body` throws.
    func run<T: Sendable>(_ body: @Sendable (any SQLConnection) throws -> T) async throws -> T {
        guard let worker = await borrow() else {
            throw DatabaseError(.overloaded, "no connection was free within \(patience)")
        }
        defer { giveBack(worker) }
        return try await worker.run(body)
    }

    func close() async {
        for worker in workers { await worker.close() }
    }

    private func borrow() async -> Worker? {
        let (worker, id) = state.withLock { state -> (Worker?, UInt64) in
            state.nextID += 1
            return (state.idle.popLast(), state.nextID)
        }
        if let worker { return worker }
        let alarm = Task { [patience] in
            try await Task.sleep(for: patience)
            self.giveUp(id)
        }
        defer { alarm.cancel() }
        return await withCheckedContinuation { continuation in
            let answer: Worker?? = state.withLock { state in
                // One may have become free since.
                if let worker = state.idle.popLast() { return .some(worker) }
                guard state.waiting.count < Self.queueLimit else { return .some(nil) }
                state.waiting.append(Waiting(id: id, continuation: continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// Ends the wait of a request.
    private func giveUp(_ id: UInt64) {
        let waiting = state.withLock { state -> Waiting? in
            guard let place = state.waiting.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiting.remove(at: place)
        }
        waiting?.continuation.resume(returning: nil)
    }

    private func giveBack(_ worker: Worker) {
        let next = state.withLock { state -> Waiting? in
            guard !state.waiting.isEmpty else {
                state.idle.append(worker)
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.continuation.resume(returning: worker)
    }
}
