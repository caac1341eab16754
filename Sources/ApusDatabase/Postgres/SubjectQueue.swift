import Synchronization

/// Puts the writes of one subject behind one another, before they take a connection.
///
/// Writers of one run would otherwise each hold a connection while they wait for the run's lock, until none is left for
/// anybody else. Those that wait are committed together by the next one in line, so a busy subject costs one sync for
/// all of them.
final class SubjectQueue: Sendable {
    /// A write that waits.
    struct Job: Sendable {
        let run: @Sendable (Transaction) throws -> Void
        /// Called once: with nil when its changes are durable.
        let finish: @Sendable ((any Error)?) -> Void
    }

    private enum Turn {
        /// The caller commits its own job and these.
        case lead([Job])
        case finished
    }

    private struct Waiting {
        let job: Job
        let turn: CheckedContinuation<Turn, Never>
    }

    /// The most jobs in one transaction, which bounds what a commit can delay.
    private static let groupLimit = 64
    private let queues = Mutex<[String: [Waiting]]>([:])

    /// The jobs that wait for others of their subject.
    var waitingCount: Int { queues.withLock { $0.values.reduce(0) { $0 + $1.count } } }

    /// Runs a job in its turn; returns after `finish` was called.
    ///
    /// `commit` runs jobs in one transaction and calls `finish` of each.
    func run(_ job: Job, of subject: String, commit: @Sendable ([Job]) async -> Void) async {
        let turn = await withCheckedContinuation { continuation in
            let isFirst = queues.withLock { queues in
                guard queues[subject] != nil else {
                    queues[subject] = []
                    return true
                }
                queues[subject]?.append(Waiting(job: job, turn: continuation))
                return false
            }
            if isFirst { continuation.resume(returning: Turn.lead([])) }
        }
        guard case .lead(let others) = turn else { return }
        await commit([job] + others)
        handOver(subject)
    }

    /// Lets the first that waits lead the ones behind it.
    private func handOver(_ subject: String) {
        let (leader, followers) = queues.withLock { queues -> (Waiting?, [Waiting]) in
            guard var waiting = queues[subject], !waiting.isEmpty else {
                queues[subject] = nil
                return (nil, [])
            }
            let leader = waiting.removeFirst()
            let followers = Array(waiting.prefix(Self.groupLimit - 1))
            queues[subject] = Array(waiting.dropFirst(followers.count))
            return (leader, followers)
        }
        guard let leader else { return }
        let jobs = followers.map { follower in
            Job(run: follower.job.run) { error in
                follower.job.finish(error)
                follower.turn.resume(returning: .finished)
            }
        }
        leader.turn.resume(returning: .lead(jobs))
    }
}
