internal import Dispatch
import Synchronization

/// Runs work that blocks on a thread of its own, away from the few that all tasks share.
enum BlockingWork {
    /// Runs `body`, which is given a function that tells whether to stop.
    ///
    /// When this returns, nothing that `body` refers to is held by the other thread any more.
    static func run<Result: Sendable>(
        _ body: @escaping @Sendable (_ isCancelled: @escaping @Sendable () -> Bool) throws -> Result
    ) async throws -> Result {
        let work = Work(body)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                DispatchQueue(label: "apus.import").async { continuation.resume(with: work.run()) }
            }
        } onCancel: {
            work.cancel()
        }
    }

    private final class Work<Result: Sendable>: Sendable {
        private let flag = CancellationFlag()
        private let body: Mutex<(@Sendable (@escaping @Sendable () -> Bool) throws -> Result)?>

        init(_ body: @escaping @Sendable (@escaping @Sendable () -> Bool) throws -> Result) {
            self.body = Mutex(body)
        }

        func run() -> Swift.Result<Result, any Error> {
            let body = body.withLock { body in
                defer { body = nil }
                return body
            }
            return Swift.Result { [flag] in
                guard let body else { throw CancellationError() }
                return try body { flag.isSet }
            }
        }

        func cancel() { flag.set() }
    }

    private final class CancellationFlag: Sendable {
        private let value = Atomic<Bool>(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }
}
