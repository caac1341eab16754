package import ApusGateway
import NIOCore
import Synchronization

/// One request that waits for its turn.
///
/// It is finished once, by whoever comes first: the run, the deadline, or the caller who leaves.
package final class BatchItem: Sendable {
    /// What must be equal for two requests to share a run.
    package struct Kind: Hashable, Sendable {
        let form: InferenceRequest.Form
        let rows: [Tensor.RowKind]
        let outputs: [String]
        let parameters: [String: ParameterValue]
    }

    package struct Answer: Sendable {
        package var result: EngineResult
        package var timing: RunTiming
    }

    private enum State {
        case fresh
        case waiting(CheckedContinuation<Answer, any Error>)
        case finished(Result<Answer, any Error>?)
    }

    package let batch: EngineBatch
    private let ownKind: Kind?
    package let rows: Int
    /// What the request holds in memory while it waits.
    package let bytes: Int
    package let client: String
    /// Who waits for the answer, where that is known.
    package let caller: Caller?
    package let enqueued: UInt64
    private let attempts = Atomic<Int>(0)
    private let state = Mutex(State.fresh)

    package init(_ batch: EngineBatch, canBeJoined: Bool, client: String, caller: Caller? = nil, now: UInt64) {
        self.batch = batch
        let rows = batch.inputs.first?.rowCount
        let isTable = rows != nil && batch.document == nil && batch.inputs.allSatisfy { $0.rowCount == rows }
        ownKind =
            canBeJoined && isTable
            ? Kind(
                form: batch.form,
                rows: batch.inputs.map(\.rowKind),
                outputs: batch.outputs,
                parameters: batch.parameters
            ) : nil
        self.rows = max(1, rows ?? 1)
        bytes = batch.inputs.reduce(batch.document?.bytes.readableBytes ?? 0) { $0 + $1.bytes.readableBytes }
        self.client = client
        self.caller = caller
        enqueued = now
    }

    /// Nil for a request that must run alone, as one must with which an instance died: if it is to blame, it will not
    /// take others with it again.
    package var kind: Kind? { attempts.load(ordering: .relaxed) == 0 ? ownKind : nil }

    package var isFinished: Bool {
        state.withLock { if case .finished = $0 { true } else { false } }
    }

    /// Gives up when nobody waits for the answer any more; true when there is nothing left to do.
    package func isAbandoned() -> Bool {
        if caller?.hasLeft ?? false { finish(.failure(CancellationError())) }
        return isFinished
    }

    /// Waits for the answer.
    package func answer() async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            let early = state.withLock { state -> Result<Answer, any Error>? in
                if case .finished(let result) = state { return result }
                state = .waiting(continuation)
                return nil
            }
            if let early { continuation.resume(with: early) }
        }
    }

    package func finish(_ result: Result<Answer, any Error>) {
        let continuation = state.withLock { state -> CheckedContinuation<Answer, any Error>? in
            switch state {
            case .finished: return nil
            case .fresh:
                state = .finished(result)
                return nil
            case .waiting(let continuation):
                state = .finished(nil)
                return continuation
            }
        }
        continuation?.resume(with: result)
    }

    /// Whether the request may be given to another instance after one died with it; true once.
    package func mayTryAgain() -> Bool {
        attempts.add(1, ordering: .relaxed).newValue == 1 && !isFinished
    }
}

/// Where the time of a request went, in nanoseconds.
package struct RunTiming: Sendable {
    /// From its arrival until its batch was made.
    package var queue: UInt64 = 0
    /// Putting the batch together and taking the answer apart.
    package var batch: UInt64 = 0
    /// In the engine.
    package var compute: UInt64 = 0
    /// The rows of the run that the request was part of.
    package var batchRows = 1
    /// Whether the request stands for its run where runs are counted.
    package var isFirstOfRun = true

    package init() {}
}
