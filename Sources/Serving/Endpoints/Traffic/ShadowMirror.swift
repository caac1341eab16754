import ApusKernel
import NIOCore
import Synchronization

/// Gives copies of answered requests to a candidate and compares what it answers.
///
/// One task of low priority does the work, one request after the other, behind a bounded queue: what does not fit is
/// dropped and counted, so the live answer never waits.
final class ShadowMirror: Sendable {
    private struct Copy: Sendable {
        let id: PredictionID
        let request: InferenceRequest
        let live: InferenceResponse
        let bytes: Int
        let milliseconds: Int64
    }

    private static let maximumWaiting = 256
    private static let maximumBytes = 64 << 20

    /// Shared with the task that does the work, which must not keep the mirror alive.
    private final class Counters: Sendable {
        let waitingBytes = Atomic<Int>(0)
        let summary: Mutex<ShadowSummary>

        init(_ summary: ShadowSummary) {
            self.summary = Mutex(summary)
        }
    }

    /// Who is asked, and who is told.
    private struct Target: Sendable {
        let candidate: LoadedDeployment
        let endpoint: String
        let observer: (any InferenceObserver)?
    }

    private let share: Double
    private let counters: Counters
    private let queue: AsyncStream<Copy>.Continuation
    private let work: Task<Void, Never>

    /// - Parameters:
    ///   - candidate: Has been entered on the mirror's behalf, and is left when the mirror ends.
    ///   - share: The part of the requests that are mirrored, from 0 to 1.
    ///   - summary: What was compared before.
    ///   - endpoint: The endpoint's name.
    ///   - observer: Is told of the candidate's answers.
    init(
        candidate: LoadedDeployment,
        share: Double,
        summary: ShadowSummary,
        endpoint: String,
        observer: (any InferenceObserver)?
    ) {
        self.share = share
        let (stream, queue) = AsyncStream.makeStream(
            of: Copy.self,
            bufferingPolicy: .bufferingOldest(Self.maximumWaiting)
        )
        self.queue = queue
        let counters = Counters(summary)
        let target = Target(candidate: candidate, endpoint: endpoint, observer: observer)
        self.counters = counters
        work = Task.detached(priority: .background) {
            for await copy in stream {
                guard !Task.isCancelled else { break }
                await Self.run(copy, on: target, counters)
            }
            candidate.leave()
        }
    }

    deinit { end() }

    var counts: ShadowSummary { counters.summary.withLock { $0 } }

    /// Takes a copy of a request that was answered, if its turn comes; never waits.
    func offer(_ request: InferenceRequest, live: InferenceResponse, id: PredictionID, milliseconds: Int64) {
        guard share >= 1 || Double.random(in: 0..<1) < share else { return }
        let bytes =
            Self.size(request.inputs, request.document?.bytes.readableBytes)
            + Self.size(live.outputs, live.document?.readableBytes)
        guard counters.waitingBytes.add(bytes, ordering: .relaxed).newValue <= Self.maximumBytes else {
            return drop(bytes)
        }
        let copy = Copy(id: id, request: request, live: live, bytes: bytes, milliseconds: milliseconds)
        if case .enqueued = queue.yield(copy) { return }
        drop(bytes)
    }

    private func drop(_ bytes: Int) {
        counters.waitingBytes.subtract(bytes, ordering: .relaxed)
        counters.summary.withLock { $0.dropped += 1 }
    }

    /// Mirrors no more; what waits is dropped.
    func end() {
        queue.finish()
        work.cancel()
    }

    private static func run(_ copy: Copy, on target: Target, _ counters: Counters) async {
        defer { counters.waitingBytes.subtract(copy.bytes, ordering: .relaxed) }
        var request = copy.request
        // The caller has its answer, and may have left; that is none of the candidate's business.
        request.deadline = .now + .seconds(30)
        request.caller = nil
        request.client = "shadow"
        let began = monotonicNanoseconds()
        let outcome: Result<InferenceResponse, any Error>
        do {
            var answer = try await target.candidate.model.infer(request)
            answer.predictionID = copy.id.text
            outcome = .success(answer)
        } catch {
            outcome = .failure(error)
        }
        let nanoseconds = monotonicNanoseconds() - began
        guard !Task.isCancelled else { return }
        record(outcome, live: copy.live, on: target.candidate, nanoseconds: nanoseconds, counters)
        target.observer?.observe(
            InferenceObservation(
                id: copy.id,
                endpoint: target.endpoint,
                model: target.candidate.deployment.model,
                version: target.candidate.deployment.version,
                deployment: target.candidate.deployment.number,
                role: .shadow,
                request: request,
                outcome: outcome,
                milliseconds: copy.milliseconds,
                nanoseconds: nanoseconds
            )
        )
    }

    private static func record(
        _ outcome: Result<InferenceResponse, any Error>,
        live: InferenceResponse,
        on candidate: LoadedDeployment,
        nanoseconds: UInt64,
        _ counters: Counters
    ) {
        switch outcome {
        case .failure:
            _ = candidate.note(nanoseconds: nanoseconds, hasFailed: true)
            counters.summary.withLock { $0.failed += 1 }
        case .success(let answer):
            _ = candidate.note(nanoseconds: nanoseconds, hasFailed: false)
            let found = AnswerComparison.compare(live, answer)
            counters.summary.withLock { summary in
                summary.compared += 1
                if found.agrees { summary.agreed += 1 }
                // JSON knows no infinity; a difference that large says the same.
                let difference = min(found.maximumDifference, .greatestFiniteMagnitude)
                summary.maximumDifference = max(summary.maximumDifference, difference)
                summary.differences = min(summary.differences + difference, .greatestFiniteMagnitude)
            }
        }
    }

    private static func size(_ tensors: [Tensor], _ document: Int?) -> Int {
        tensors.reduce(document ?? 0) { $0 + $1.bytes.readableBytes }
    }
}
