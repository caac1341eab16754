import Serving
import Testing

/// When workers come and go.
@Suite struct WorkerScalingTests {
    private static let second: UInt64 = 1_000_000_000

    private func scaling(minimum: Int, maximum: Int) -> WorkerScaling {
        WorkerScaling(
            minimum: minimum,
            maximum: maximum,
            scaleUpWait: .milliseconds(100),
            idleTime: .seconds(60)
        )
    }

    private func seen(
        at seconds: UInt64,
        workers: Int,
        starting: Int = 0,
        busy: Int = 0,
        waiting: Int = 0,
        oldestWait: UInt64 = 0,
        sinceLastRequest: UInt64? = nil
    ) -> WorkerScaling.Observation {
        .init(
            now: seconds * Self.second,
            workers: workers,
            starting: starting,
            busy: busy,
            waiting: waiting,
            oldestWait: oldestWait,
            sinceLastRequest: sinceLastRequest
        )
    }

    @Test func `a model at rest is started by its first request and by nothing else`() {
        var scaling = scaling(minimum: 0, maximum: 2)
        #expect(scaling.decide(seen(at: 1, workers: 0)) == .stay)
        #expect(scaling.decide(seen(at: 2, workers: 0, waiting: 1)) == .add)
        #expect(scaling.decide(seen(at: 3, workers: 1, starting: 1, waiting: 1, oldestWait: Self.second)) == .stay)
    }

    @Test func `a further worker comes when requests wait too long, up to the most`() {
        var scaling = scaling(minimum: 1, maximum: 2)
        #expect(scaling.decide(seen(at: 1, workers: 1, busy: 1, waiting: 9, oldestWait: 99_000_000)) == .stay)
        #expect(scaling.decide(seen(at: 2, workers: 1, busy: 1, waiting: 9, oldestWait: 101_000_000)) == .add)
        #expect(scaling.decide(seen(at: 3, workers: 2, busy: 2, waiting: 9, oldestWait: Self.second)) == .stay)
    }

    @Test func `workers that are not all needed go one by one, down to the fewest`() {
        var scaling = scaling(minimum: 1, maximum: 3)
        #expect(scaling.decide(seen(at: 0, workers: 3, busy: 3)) == .stay)
        #expect(scaling.decide(seen(at: 59, workers: 3, busy: 1)) == .stay)
        #expect(scaling.decide(seen(at: 61, workers: 3, busy: 1)) == .remove)
        #expect(scaling.decide(seen(at: 100, workers: 2, busy: 1)) == .stay)
        #expect(scaling.decide(seen(at: 122, workers: 2, busy: 1)) == .remove)
        #expect(scaling.decide(seen(at: 500, workers: 1)) == .stay)
    }

    @Test func `the last worker stays while anybody calls, however rarely it is seen busy`() {
        var scaling = scaling(minimum: 0, maximum: 1)
        #expect(scaling.decide(seen(at: 0, workers: 1, sinceLastRequest: 0)) == .stay)
        #expect(scaling.decide(seen(at: 70, workers: 1, sinceLastRequest: 5 * Self.second)) == .stay)
        #expect(scaling.decide(seen(at: 131, workers: 1, sinceLastRequest: 66 * Self.second)) == .remove)
    }

    @Test func `a worker that is missing is added`() {
        var scaling = scaling(minimum: 2, maximum: 4)
        #expect(scaling.decide(seen(at: 0, workers: 1)) == .add)
    }
}
