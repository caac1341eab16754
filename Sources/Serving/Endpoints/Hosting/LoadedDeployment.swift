import Synchronization

/// A deployment whose model is in memory, and the requests that are in it.
final class LoadedDeployment: Sendable {
    let deployment: Deployment
    let model: ServedModel
    /// What the deployment did since the present rollout began, or since it is loaded.
    private let summary = Mutex(ArmSummary())
    private let inside = Atomic<Int>(0)
    /// The instances that were asked for.
    let fullCount: Int
    private let wanted: Mutex<Int>

    init(_ deployment: Deployment, model: ServedModel) {
        self.deployment = deployment
        self.model = model
        fullCount = max(1, model.batcher.instanceCount)
        wanted = Mutex(fullCount)
    }

    /// Makes or ends instances until there are so many; what they do now is finished.
    ///
    /// Processes of Python come and go by themselves.
    func scale(to count: Int) {
        if model.engine is PythonEngine { return }
        let change = wanted.withLock { wanted in
            defer { wanted = max(1, count) }
            return max(1, count) - wanted
        }
        for _ in 0..<max(0, change) {
            model.batcher.addInstance { [engine = model.engine] in try engine.makeInstance() }
        }
        for _ in 0..<max(0, -change) { model.batcher.removeInstance() }
    }

    /// Lets a request in.
    ///
    /// Called under the lock of whatever names the deployment, so that none comes after it is named no more.
    func enter() { inside.add(1, ordering: .acquiringAndReleasing) }

    func leave() { inside.subtract(1, ordering: .acquiringAndReleasing) }

    /// Waits for the requests that are inside, then unloads the model; nobody may enter any more.
    func drain() async {
        while inside.load(ordering: .acquiring) > 0 {
            // A task that is cancelled still waits: the requests are not its own.
            await Task.detached { try? await Task.sleep(for: .milliseconds(5)) }.value
        }
        await model.close()
    }

    // MARK: Statistics

    var statistics: ArmSummary { summary.withLock { $0 } }

    func restart(_ statistics: ArmSummary = ArmSummary()) { summary.withLock { $0 = statistics } }

    /// Takes note of a request, and says how many there were.
    func note(nanoseconds: UInt64, hasFailed: Bool) -> Int {
        summary.withLock { summary in
            if hasFailed { summary.failed() } else { summary.answered(nanoseconds) }
            return summary.requests
        }
    }

    func note(reward: Double) { summary.withLock { $0.reward(reward) } }
}
