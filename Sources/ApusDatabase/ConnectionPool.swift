import Synchronization

/// Lends connections, each on a thread of its own, first come first served.
final class ConnectionPool: Sendable {
    /// Owns one connection; work on it runs on the actor's own thread and may block.
    actor Worker {
        private let executor: QueueExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        private let open: @Sendable () throws -> any SQLConnection
        private var connection: (any SQLConnection)?

        init(label: String, open: @escaping @Sendable () throws -> any SQLConnection) {
            executor = QueueExecutor(label: label)
            self.open = open
        }

        /// Runs `body` with the connection, opening it first if need be.
        func run<T: Sendable>(_ body: @Sendable (any SQLConnection) throws -> T) throws -> T {
            let usable: any SQLConnection
            if let connection { usable = connection } else { usable = try open() }
            connection = usable
            do {
                return try body(usable)
            } catch let error as DatabaseError where error.kind == .unavailable {
                connection = nil
                throw error
            }
        }

        func close() { connection = nil }
    }

    private struct State {
        var idle: [Worker]
        var waiting: [CheckedContinuation<Worker, Never>] = []
        var waitingFrom = 0
    }

    private let workers: [Worker]
    private let state: Mutex<State>

    init(label: String, count: Int, open: @escaping @Sendable () throws -> any SQLConnection) {
        workers = (0..<count).map { Worker(label: "\(label)-\($0)", open: open) }
        state = Mutex(State(idle: workers.reversed()))
    }

    /// The requests that wait for a connection.
    var waitingCount: Int { state.withLock { $0.waiting.count - $0.waitingFrom } }

    func run<T: Sendable>(_ body: @Sendable (any SQLConnection) throws -> T) async throws -> T {
        let worker = await borrow()
        defer { giveBack(worker) }
        return try await worker.run(body)
    }

    func close() async {
        for worker in workers { await worker.close() }
    }

    private func borrow() async -> Worker {
        await withCheckedContinuation { continuation in
            let worker: Worker? = state.withLock { state in
                if let worker = state.idle.popLast() { return worker }
                state.waiting.append(continuation)
                return nil
            }
            if let worker { continuation.resume(returning: worker) }
        }
    }

    private func giveBack(_ worker: Worker) {
        let next: CheckedContinuation<Worker, Never>? = state.withLock { state in
            guard state.waitingFrom < state.waiting.count else {
                state.idle.append(worker)
                return nil
            }
            let next = state.waiting[state.waitingFrom]
            state.waitingFrom += 1
            if state.waitingFrom > 256, state.waitingFrom * 2 > state.waiting.count {
                state.waiting.removeFirst(state.waitingFrom)
                state.waitingFrom = 0
            }
            return next
        }
        next?.resume(returning: worker)
    }
}
