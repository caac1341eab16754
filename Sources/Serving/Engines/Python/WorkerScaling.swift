/// Decides how many workers a model has, by how long requests wait and how busy the workers are.
package struct WorkerScaling: Sendable {
    /// What is seen at one moment; times in nanoseconds.
    package struct Observation {
        var now: UInt64
        var workers: Int
        /// Those of them that are still being started.
        var starting: Int
        var busy: Int
        var waiting: Int
        /// How long the oldest request has waited.
        var oldestWait: UInt64
        /// How long ago the last request came; nil before the first.
        var sinceLastRequest: UInt64?

        /// What is seen at `now`, on a clock that only goes forward.
        package init(
            now: UInt64,
            workers: Int,
            starting: Int,
            busy: Int,
            waiting: Int,
            oldestWait: UInt64,
            sinceLastRequest: UInt64?
        ) {
            self.now = now
            self.workers = workers
            self.starting = starting
            self.busy = busy
            self.waiting = waiting
            self.oldestWait = oldestWait
            self.sinceLastRequest = sinceLastRequest
        }
    }

    /// What is to be done with one worker, if anything.
    package enum Decision: Equatable {
        case stay, add, remove
    }

    let minimum: Int
    let maximum: Int
    let scaleUpWait: UInt64
    let idleTime: UInt64
    /// When all workers were last needed at once.
    private var lastNeeded: UInt64?

    /// Decides for a model of which nothing was seen yet.
    ///
    /// - Parameters:
    ///   - minimum: The fewest workers.
    ///   - maximum: The most, at least one and `minimum`.
    ///   - scaleUpWait: A request that waits longer calls for a further worker.
    ///   - idleTime: A worker that was not needed for longer goes.
    package init(minimum: Int, maximum: Int, scaleUpWait: Duration, idleTime: Duration) {
        self.minimum = max(0, minimum)
        self.maximum = max(1, minimum, maximum)
        self.scaleUpWait = scaleUpWait.wholeNanoseconds
        self.idleTime = idleTime.wholeNanoseconds
    }

    /// What to do upon what is seen, which must not be older than what was seen before.
    package mutating func decide(_ seen: Observation) -> Decision {
        if seen.workers < minimum { return .add }
        if seen.workers == 0 {
            lastNeeded = seen.now
            return seen.waiting > 0 ? .add : .stay
        }
        if seen.waiting > 0 || seen.busy >= seen.workers { lastNeeded = seen.now }
        // The last one is needed for as long as anybody calls, however short the calls are.
        if seen.workers == 1, let last = seen.sinceLastRequest, last < idleTime { lastNeeded = seen.now }
        if seen.oldestWait > scaleUpWait, seen.workers < maximum, seen.starting == 0 { return .add }
        let since = lastNeeded ?? seen.now
        lastNeeded = since
        guard seen.workers > minimum, seen.starting == 0, seen.now >= since, seen.now - since > idleTime else {
            return .stay
        }
        // The next one goes after as long a time.
        lastNeeded = seen.now
        return .remove
    }
}
