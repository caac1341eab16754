import Serving
import Testing

struct RolloutMachineTests {
    private func rollout(_ kind: Strategy.Kind, stable: Int64? = 1, phase: Rollout.Phase = .running) -> Rollout {
        var strategy = Strategy(kind)
        strategy.holdSeconds = 10
        strategy.minimumRequests = 5
        var rollout = Rollout(strategy: strategy, candidate: 2, stable: stable, now: 1_000, actor: "a", reason: "r")
        rollout.phase = phase
        rollout.shares = RolloutMachine.shares(strategy, instances: 4)
        return rollout
    }

    @Test func `a version that is not loaded waits, and one that cannot be is given up`() {
        let canary = rollout(.canary, phase: .loading)
        #expect(RolloutMachine.decide(canary, .init(now: 9_000, isLoaded: false)) == .stay)
        let decision = RolloutMachine.decide(canary, .init(now: 9_000, isLoaded: false, failure: "no file"))
        #expect(decision == .abort("The new version cannot be loaded: no file"))
    }

    @Test(arguments: [
        (Strategy.Kind.allAtOnce, RolloutMachine.Decision.promote("It is loaded.")), (.blueGreen, .wait),
        (.canary, .run), (.rolling, .run), (.shadow, .run), (.ab, .run),
    ])
    func `what follows the load is the strategy's`(kind: Strategy.Kind, decision: RolloutMachine.Decision) {
        #expect(RolloutMachine.decide(rollout(kind, phase: .loading), .init(now: 2_000)) == decision)
    }

    @Test(arguments: Strategy.Kind.allCases)
    func `the first version of an endpoint takes over by any strategy`(kind: Strategy.Kind) {
        let first = rollout(kind, stable: nil, phase: .loading)
        #expect(RolloutMachine.decide(first, .init(now: 2_000)) == .promote("It is the first version."))
    }

    @Test func `a canary goes on when its time is over and enough requests were answered`() {
        var canary = rollout(.canary)
        #expect(RolloutMachine.decide(canary, .init(now: 10_999, candidateRequests: 100)) == .stay)
        #expect(RolloutMachine.decide(canary, .init(now: 11_000, candidateRequests: 4)) == .stay)
        #expect(RolloutMachine.decide(canary, .init(now: 11_000, candidateRequests: 5)) == .step(1))
        canary.step = 2
        canary.stepBegan = 11_000
        canary.requestsBefore = 5
        #expect(RolloutMachine.decide(canary, .init(now: 21_000, candidateRequests: 9)) == .stay)
        #expect(
            RolloutMachine.decide(canary, .init(now: 21_000, candidateRequests: 10)) == .promote("All steps passed.")
        )
    }

    @Test func `an alarm ends a canary at once, and touches no A-B test`() {
        #expect(RolloutMachine.decide(rollout(.canary), .init(now: 1_001, alarm: "bad")) == .abort("bad"))
        #expect(RolloutMachine.decide(rollout(.rolling), .init(now: 1_001, alarm: "bad")) == .abort("bad"))
        #expect(RolloutMachine.decide(rollout(.ab), .init(now: 1_001, alarm: "bad")) == .stay)
        #expect(RolloutMachine.decide(rollout(.shadow), .init(now: 1_001, alarm: "bad")) == .stay)
    }

    @Test func `a rolling rollout replaces one instance after the other`() {
        #expect(RolloutMachine.shares(Strategy(.rolling), instances: 4) == [0.25, 0.5, 0.75])
        #expect(RolloutMachine.shares(Strategy(.rolling), instances: 1) == [0.5])
    }

    @Test(arguments: [Rollout.Phase.ready, .promoted, .aborted])
    func `what waits for a person, and what is over, stays`(phase: Rollout.Phase) {
        #expect(RolloutMachine.decide(rollout(.blueGreen, phase: phase), .init(now: 999_999, alarm: "x")) == .stay)
    }

    @Test func `a rollout is the same after it was stored`() throws {
        var canary = rollout(.canary)
        canary.evidence.errors = RatioTest(tolerated: 1.1)
        canary.evidence.errors?.observe(onCandidate: true, share: 0.05)
        canary.evidence.arms[2] = ArmSummary()
        canary.evidence.arms[2]?.answered(1_234_567)
        canary.evidence.arms[2]?.reward(0.5)
        canary.evidence.shadow = ShadowSummary()
        let read = try StateText.decode(Rollout.self, try StateText.encode(canary))
        #expect(read == canary)
    }

    @Test(arguments: [[], [5, 5], [50, 20], [0, 5], [5, 100], [-1.0], [.nan]])
    func `steps that do not grow are refused`(steps: [Double]) {
        var strategy = Strategy(.canary)
        strategy.steps = steps
        #expect(throws: ServingError.self) { try strategy.check() }
    }
}
