import Synchronization

/// Runs `body`, which may block for long, on a thread of its own.
///
/// A cancelled caller does not wait for the end of it.
///
/// - Throws: What `body` throws, or `CancellationError`.
func offThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    let answer = SingleAnswer<Value>()
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
            answer.wait(continuation)
            startThread("apus-load") { answer.give(Result { try body() }) }
        }
    } onCancel: {
        answer.give(.failure(CancellationError()))
    }
}

/// Hands the first of several answers to the one who waits.
private final class SingleAnswer<Value: Sendable>: Sendable {
    private enum State {
        case fresh
        case waiting(CheckedContinuation<Value, any Error>)
        case early(Result<Value, any Error>)
        case over
    }

    private let state = Mutex(State.fresh)

    func wait(_ continuation: CheckedContinuation<Value, any Error>) {
        let early = state.withLock { state -> Result<Value, any Error>? in
            if case .early(let result) = state {
                state = .over
                return result
            }
            state = .waiting(continuation)
            return nil
        }
        if let early { continuation.resume(with: early) }
    }

    func give(_ result: Result<Value, any Error>) {
        let continuation = state.withLock { state -> CheckedContinuation<Value, any Error>? in
            switch state {
            case .fresh:
                state = .early(result)
                return nil
            case .waiting(let continuation):
                state = .over
                return continuation
            case .early, .over: return nil
            }
        }
        continuation?.resume(with: result)
    }
}
