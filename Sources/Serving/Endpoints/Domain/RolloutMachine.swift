/// Decides how a rollout goes on; it changes nothing itself.
package struct RolloutMachine: Sendable {
    /// What is to be done now.
    package enum Decision: Sendable, Equatable {
        case stay
        /// Shares requests as the first step says.
        case run
        /// The candidate waits, loaded.
        case wait
        case step(Int)
        case promote(String)
        case abort(String)
    }

    /// What is known at the moment of a decision.
    package struct Situation: Sendable {
        /// Milliseconds since 1970.
        package var now: Int64
        package var isLoaded: Bool
        /// Why the candidate cannot be loaded.
        package var failure: String?
        /// Why a guard fired.
        package var alarm: String?
        /// How many requests the candidate answered since the rollout began.
        package var candidateRequests: Int

        package init(
            now: Int64,
            isLoaded: Bool = true,
            failure: String? = nil,
            alarm: String? = nil,
            candidateRequests: Int = 0
        ) {
            self.now = now
            self.isLoaded = isLoaded
            self.failure = failure
            self.alarm = alarm
            self.candidateRequests = candidateRequests
        }
    }

    /// The candidate's shares, one for each step; empty where there are no steps.
    package static func shares(_ strategy: Strategy, instances: Int) -> [Double] {
        switch strategy.kind {
        case .canary: strategy.steps.map { $0 / 100 }
        case .rolling: (1..<max(2, instances)).map { Double($0) / Double(max(2, instances)) }
        case .ab: [strategy.percent / 100]
        case .allAtOnce, .blueGreen, .shadow: []
        }
    }

    package static func decide(_ rollout: Rollout, _ situation: Situation) -> Decision {
        switch rollout.phase {
        case .promoted, .aborted: .stay
        case .loading: afterLoading(rollout, situation)
        case .ready: .stay
        case .running: whileRunning(rollout, situation)
        }
    }

    private static func afterLoading(_ rollout: Rollout, _ situation: Situation) -> Decision {
        if let failure = situation.failure { return .abort("The new version cannot be loaded: \(failure)") }
        guard situation.isLoaded else { return .stay }
        // There is nothing to compare the first version with.
        guard rollout.stable != nil else { return .promote("It is the first version.") }
        return switch rollout.strategy.kind {
        case .allAtOnce: .promote("It is loaded.")
        case .blueGreen: rollout.strategy.isAutomatic ? .promote("It is loaded.") : .wait
        case .canary, .rolling, .shadow, .ab: .run
        }
    }

    private static func whileRunning(_ rollout: Rollout, _ situation: Situation) -> Decision {
        // A worker's failure to come back is seen as failures of requests; a restart that fails is seen here.
        if let failure = situation.failure { return .abort("The new version cannot be loaded: \(failure)") }
        guard rollout.strategy.isGuarded else { return .stay }
        if let alarm = situation.alarm { return .abort(alarm) }
        let hold = Int64((rollout.strategy.holdSeconds * 1000).rounded())
        guard situation.now - rollout.stepBegan >= hold,
            situation.candidateRequests - rollout.requestsBefore >= rollout.strategy.minimumRequests
        else { return .stay }
        if rollout.step + 1 < rollout.shares.count { return .step(rollout.step + 1) }
        return .promote("All steps passed.")
    }
}
