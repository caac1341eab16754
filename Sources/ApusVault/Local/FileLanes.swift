internal import Dispatch
internal import Synchronization

/// A thread that may block, on which actors do their file work, one job at a time.
///
/// The cooperative pool has one thread for each core, so a blocking call there stops everybody.
final class FileLane: SerialExecutor {
    private let queue: DispatchQueue
    private let jobs = Atomic<Int>(0)

    init(label: String) {
        queue = DispatchQueue(label: label)
    }

    /// The jobs that run or wait.
    var pendingCount: Int { jobs.load(ordering: .relaxed) }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        jobs.add(1, ordering: .relaxed)
        queue.async {
            unowned.runSynchronously(on: self.asUnownedSerialExecutor())
            self.jobs.subtract(1, ordering: .relaxed)
        }
    }
}

/// A bounded number of lanes; a lane without work has no thread.
final class FileLanes: Sendable {
    private let lanes: [FileLane]
    private let spare: FileLane
    private let turn = Atomic<UInt>(0)

    /// - Parameter count: The most file operations at a time.
    init(count: Int) {
        spare = FileLane(label: "apus.vault.0")
        lanes = [spare] + (1..<max(count, 1)).map { FileLane(label: "apus.vault.\($0)") }
    }

    /// The lane with the least work, starting from another one at each call.
    func leastBusy() -> FileLane {
        let start = Int(turn.add(1, ordering: .relaxed).oldValue % UInt(lanes.count))
        let turned = lanes[start...] + lanes[..<start]
        // A sync may take seconds, so a lane that waits for one is passed over.
        return turned.min { $0.pendingCount < $1.pendingCount } ?? spare
    }

    /// Runs `body` on a lane.
    func run<Result: Sendable>(_ body: @Sendable () throws -> Result) async throws -> Result {
        try await FileWorker(lane: leastBusy()).run(body)
    }
}

/// Does one piece of blocking work on a lane.
private actor FileWorker {
    private let lane: FileLane

    nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    init(lane: FileLane) {
        self.lane = lane
    }

    func run<Result: Sendable>(_ body: @Sendable () throws -> Result) throws -> Result {
        try body()
    }
}
