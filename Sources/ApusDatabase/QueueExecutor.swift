internal import Dispatch

/// Runs an actor's work on a thread that may block, one job at a time.
///
/// The cooperative pool has one thread for each core, so a blocking call there stops everybody.
final class QueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) {
        queue = DispatchQueue(label: label)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        queue.async { unowned.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
