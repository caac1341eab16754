package import ApusGateway
import ApusKernel
import Synchronization

/// Stands before the instances of a model: requests wait here, are put together, and go to whichever instance is free.
///
/// What piled up while all instances were busy goes off together, which costs nobody anything. Beyond that a batch
/// waits for the next request only while that saves more than it delays, judged by how often requests come and by how
/// long runs take. A run that fails is repeated by halves, so that only the request that is to blame fails.
package final class Batcher: Sendable {
    private struct State {
        var queue = FairQueue()
        var instances = 0
        /// Instances that can run; the others are being made.
        var ready = 0
        /// Instances that are to end.
        var leaving = 0
        var busy = 0
        var isClosed = false
        /// Whether runs of several requests were seen to give answers that cannot be told apart.
        var mustRunAlone = false
        var estimate = RunTimeEstimate()
        /// Nanoseconds between requests, fading; nil before two have come.
        var gap: Double?
        var lastArrival: UInt64?
    }

    private let name: String
    private let state: Monitor<State>
    package let policy: BatchingPolicy
    /// A run that takes no longer is done where it is asked for, when the engine allows: changing threads costs more.
    private static let inPlaceLimit = 0.000_5
    /// How long an instance that died waits before it is made anew, at first and at most.
    private static let revivalDelays: ClosedRange<UInt64> = 100_000_000...10_000_000_000

    /// `name`: The model's, for messages and threads.
    package init(name: String, policy: BatchingPolicy) {
        self.name = name
        self.policy = policy
        state = Monitor(State())
    }

    /// The requests that wait.
    package var waitingCount: Int { state.withLock { $0.queue.count } }
    /// The instances that live.
    package var instanceCount: Int { state.withLock { $0.instances } }
    /// The instances that are running something.
    package var busyCount: Int { state.withLock { $0.busy } }
    /// How long ago the last request came, in nanoseconds; nil before the first.
    package var sinceLastRequest: UInt64? {
        state.withLock { $0.lastArrival }.map { last in
            let now = monotonicNanoseconds()
            return now > last ? now - last : 0
        }
    }
    /// How long the oldest request has waited, in nanoseconds; 0 when none waits.
    package var oldestWait: UInt64 {
        let oldest = state.withLock { $0.queue.oldest }
        return oldest.map {
            let now = monotonicNanoseconds(); return now > $0 ? now - $0 : 0
        } ?? 0
    }

    // MARK: Requests

    /// Whether a run of so many rows may be done where it is asked for: nobody waits, and it is known to be short.
    package func canRunInPlace(rows: Int) -> Bool {
        state.withLock { state in
            guard state.queue.count == 0, !state.isClosed else { return false }
            return state.estimate.seconds(rows: rows).map { $0 <= Self.inPlaceLimit } ?? false
        }
    }

    /// Takes note of a run that was done elsewhere.
    package func observe(rows: Int, nanoseconds: UInt64) {
        state.withLock { $0.estimate.observe(rows: rows, seconds: Double(nanoseconds) / 1e9) }
    }

    /// Waits for a turn, runs, and returns what came of it.
    ///
    /// - Throws: ``ServingError``: `overloaded` when too many wait, `deadlineExceeded` when the time is over, and what
    ///   the engine throws. `CancellationError` when the caller's task is cancelled; the request then leaves its batch.
    package func submit(
        _ batch: EngineBatch,
        client: String = "",
        caller: Caller? = nil
    ) async throws -> (EngineResult, RunTiming) {
        let now = monotonicNanoseconds()
        if let deadline = batch.deadline, deadline <= .now { throw ServingError.deadlineExceeded }
        let item = BatchItem(batch, canBeJoined: policy.maximumBatchSize > 1, client: client, caller: caller, now: now)
        try state.withLock { state in
            guard !state.isClosed else { throw ServingError.notReady(name, reason: "it is being unloaded") }
            guard state.queue.count < policy.queueLimit,
                state.queue.count == 0 || state.queue.bytes + item.bytes <= policy.queueBytes
            else { throw ServingError.overloaded(name) }
            if let last = state.lastArrival {
                let gap = Double(now &- last)
                state.gap = state.gap.map { $0 * 0.9 + gap * 0.1 } ?? gap
            }
            state.lastArrival = now
            state.queue.append(item)
        }
        state.wakeOne()
        let alarm = batch.deadline.map { deadline in
            Task {
                try await Task.sleep(until: deadline, clock: .continuous)
                item.finish(.failure(ServingError.deadlineExceeded))
            }
        }
        defer { alarm?.cancel() }
        let answer = try await withTaskCancellationHandler {
            try await item.answer()
        } onCancel: {
            item.finish(.failure(CancellationError()))
        }
        return (answer.result, answer.timing)
    }

    // MARK: Instances

    /// Starts a thread that runs what waits, on an instance that `make` makes there, now and whenever it is lost.
    package func addInstance(_ make: @escaping @Sendable () throws -> any EngineInstance) {
        state.withLock { $0.instances += 1 }
        startThread(name) { self.work(make) }
    }

    /// Starts a thread that runs what waits on `instance`, which is made anew by `remake` whenever it is lost.
    package func addInstance(
        _ instance: any EngineInstance,
        remake: @escaping @Sendable () throws -> any EngineInstance
    ) {
        let first = Mutex<(any EngineInstance)?>(instance)
        addInstance { try first.withLock { $0.take() } ?? remake() }
    }

    /// Lets one instance end after what it is doing.
    package func removeInstance() {
        state.withLock { if $0.instances > $0.leaving { $0.leaving += 1 } }
        state.wakeAll()
    }

    /// Takes no more requests; those that wait are still answered, then the instances end.
    package func close() async {
        state.withLock { $0.isClosed = true }
        state.wakeAll()
        while instanceCount > 0 {
            // Nobody is left who would answer.
            try? await Task.sleep(for: .milliseconds(2))
        }
        for item in state.withLock({ $0.queue.takeAll() }) { item.finish(.failure(ServingError.notReady(name))) }
    }

    /// An instance's life.
    private func work(_ make: @Sendable () throws -> any EngineInstance) {
        var delay = Self.revivalDelays.lowerBound
        var failures = 0
        while true {
            let instance: any EngineInstance
            do {
                instance = try make()
                delay = Self.revivalDelays.lowerBound
                failures = 0
            } catch {
                failures += 1
                // Those who wait may have another instance. Where there is none they are not left to wait for ever.
                if failures > 1 { refuseAll(because: error) }
                let end = monotonicNanoseconds() + delay
                delay = min(delay * 2, Self.revivalDelays.upperBound)
                if pause(until: end) { return }
                continue
            }
            instance.whenLost { [state] in
                // Under the lock, lest it comes just before the wait for it.
                state.withLock { _ in state.wakeAll() }
            }
            state.withLock { $0.ready += 1 }
            let isOver = serve(instance)
            state.withLock { $0.ready -= 1 }
            instance.close()
            if isOver { return }
        }
    }

    /// Answers those who wait when no instance is left that could.
    private func refuseAll(because error: any Error) {
        let items = state.withLock { $0.ready == 0 ? $0.queue.takeAll() : [] }
        let reason = (error as? ServingError)?.message ?? "it cannot be started"
        for item in items { item.finish(.failure(ServingError.notReady(name, reason: reason))) }
    }

    /// Waits before another try; true when the instance is to end instead.
    private func pause(until end: UInt64) -> Bool {
        state.wait { state in
            if leaves(&state) { return .finish(true) }
            return monotonicNanoseconds() >= end ? .finish(false) : .wait(until: end)
        }
    }

    /// Whether an instance that has nothing to do ends now.
    private func leaves(_ state: inout State) -> Bool {
        if state.leaving > 0 {
            state.leaving -= 1
            state.instances -= 1
            return true
        }
        guard state.isClosed, state.queue.count == 0 else { return false }
        state.instances -= 1
        return true
    }

    /// Runs one batch after the other; returns true when the instance is to end, false when it was lost.
    private func serve(_ instance: any EngineInstance) -> Bool {
        while true {
            var wasLost = false
            let items = state.wait { state -> Monitor<State>.Step<[BatchItem]?> in
                // One that died while it had nothing to do is made anew before anybody waits for it.
                wasLost = instance.isLost
                guard !wasLost else { return .finish(nil) }
                guard state.queue.count > 0 else { return leaves(&state) ? .finish(nil) : .waitForever }
                if state.leaving > 0, leaves(&state) { return .finish(nil) }
                if let until = worthWaiting(state) { return .wait(until: until) }
                let items = state.queue.takeBatch(limit: state.mustRunAlone ? 1 : max(1, policy.maximumBatchSize))
                // All that waited was given up; who closed meanwhile signals no more.
                guard !items.isEmpty else { return leaves(&state) ? .finish(nil) : .waitForever }
                state.busy += 1
                return .finish(items)
            }
            guard let items else { return !wasLost }
            let isLost = run(items, on: instance)
            state.withLock { $0.busy -= 1 }
            if isLost { return false }
        }
    }

    /// Until when a batch that could go off is better held back; nil when it goes off now.
    private func worthWaiting(_ state: State) -> UInt64? {
        guard policy.maximumBatchSize > 1, policy.maximumDelay > .zero, !state.mustRunAlone, !state.isClosed,
            state.queue.rows < policy.maximumBatchSize, let oldest = state.queue.oldest, let gap = state.gap,
            let parts = state.estimate.parts
        else { return nil }
        // The next one saves its share of the fixed part; all who wait pay for the gap.
        guard gap * Double(state.queue.count) < parts.fixed * 1e9 else { return nil }
        let limit = oldest + policy.maximumDelay.wholeNanoseconds
        let now = monotonicNanoseconds()
        let until = min(limit, (state.lastArrival ?? now) + UInt64(gap * 2))
        return until > now ? until : nil
    }

    // MARK: Runs

    /// Runs requests together and answers them; true when the instance was lost.
    private func run(_ items: [BatchItem], on instance: any EngineInstance) -> Bool {
        let items = items.filter { !$0.isAbandoned() }
        guard let first = items.first else { return false }
        let began = monotonicNanoseconds()
        var batch = first.batch
        if items.count > 1 {
            batch.inputs = first.batch.inputs.indices.compactMap { index in
                Tensor.stacked(items.map { $0.batch.inputs[index] })
            }
            batch.deadline =
                items.contains { $0.batch.deadline == nil } ? nil : items.compactMap(\.batch.deadline).max()
        }
        let started = monotonicNanoseconds()
        let result: EngineResult
        do {
            result = try instance.run(batch)
        } catch let lost as InstanceLost {
            // Who was alone with it is to blame; the others get another one, each for itself.
            if items.count == 1, let answer = lost.answer { first.finish(.failure(answer)) }
            giveToOthers(items)
            return true
        } catch {
            return runByHalves(items, on: instance, because: error)
        }
        let ended = monotonicNanoseconds()
        let rows = items.reduce(0) { $0 + $1.rows }
        observe(rows: rows, nanoseconds: ended - started)
        guard let parts = Self.split(result, among: items) else {
            // The rows cannot be told apart, so this model's requests must not be put together.
            state.withLock { $0.mustRunAlone = true }
            for (index, item) in items.enumerated() where run([item], on: instance) {
                putBack(items[(index + 1)...])
                return true
            }
            return false
        }
        var timing = RunTiming()
        timing.compute = ended - started
        timing.batch = (started - began) + (monotonicNanoseconds() - ended)
        timing.batchRows = rows
        for (item, part) in zip(items, parts) {
            timing.queue = began > item.enqueued ? began - item.enqueued : 0
            item.finish(.success(BatchItem.Answer(result: part, timing: timing)))
            timing.isFirstOfRun = false
        }
        return false
    }

    /// Finds the request that made a run fail, so that the others do not pay for it.
    private func runByHalves(_ items: [BatchItem], on instance: any EngineInstance, because error: any Error) -> Bool {
        guard items.count > 1 else {
            items.first?.finish(.failure(error))
            return false
        }
        let middle = items.count / 2
        if run(Array(items[..<middle]), on: instance) {
            putBack(items[middle...])
            return true
        }
        return run(Array(items[middle...]), on: instance)
    }

    /// What was not run when its instance was lost just waits again.
    private func putBack(_ items: ArraySlice<BatchItem>) {
        state.withLock { state in
            for item in items.reversed() where !item.isFinished { state.queue.putBack(item) }
        }
        state.wakeAll()
    }

    private func giveToOthers(_ items: [BatchItem]) {
        var queued = false
        for item in items.reversed() where !item.isFinished {
            if item.mayTryAgain() {
                state.withLock { $0.queue.putBack(item) }
                queued = true
            } else {
                item.finish(.failure(ServingError.workerLost(name)))
            }
        }
        if queued { state.wakeAll() }
    }

    /// What each request is given of the answer; nil when that cannot be told.
    private static func split(_ result: EngineResult, among items: [BatchItem]) -> [EngineResult]? {
        guard items.count > 1 else { return [result] }
        guard result.document == nil else { return nil }
        let counts = items.map(\.rows)
        var parts = items.map { _ in EngineResult(outputs: [], form: result.form) }
        for output in result.outputs {
            guard let pieces = output.split(counts), pieces.count == parts.count else { return nil }
            for (index, piece) in pieces.enumerated() { parts[index].outputs.append(piece) }
        }
        return parts
    }
}

extension Duration {
    /// Nanoseconds, none of them negative.
    package var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, isTooLarge) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return isTooLarge ? .max / 2 : product + UInt64(attoseconds) / 1_000_000_000
    }
}
