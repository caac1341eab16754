import ApusKernel

/// Starts and ends the workers of one model as they are needed.
final class WorkerScaler: Sendable {
    /// How often it looks, while there are workers.
    private static let pace = Duration.milliseconds(100)
    /// While there are none, the first caller waits for it.
    private static let paceAtRest = Duration.milliseconds(20)
    private let task: Task<Void, Never>

    /// Begins at once; the caller stops it with ``stop()``.
    init(batcher: Batcher, engine: PythonEngine) {
        let options = engine.options
        task = Task {
            var scaling = WorkerScaling(
                minimum: options.minimumWorkers,
                maximum: options.mostWorkers,
                scaleUpWait: options.scaleUpWait,
                idleTime: options.idleTime
            )
            while !Task.isCancelled {
                let workers = batcher.instanceCount
                let seen = WorkerScaling.Observation(
                    now: monotonicNanoseconds(),
                    workers: workers,
                    starting: engine.startingCount,
                    busy: batcher.busyCount,
                    waiting: batcher.waitingCount,
                    oldestWait: batcher.oldestWait,
                    sinceLastRequest: batcher.sinceLastRequest
                )
                switch scaling.decide(seen) {
                case .stay: break
                case .add: batcher.addInstance { try engine.makeInstance() }
                case .remove: batcher.removeInstance()
                }
                guard (try? await Task.sleep(for: workers == 0 ? Self.paceAtRest : Self.pace)) != nil else { return }
            }
        }
    }

    func stop() { task.cancel() }
}
