/// A change of an endpoint that is under way, or the last one that was.
package struct Rollout: Sendable, Equatable, Codable {
    package enum Phase: String, Sendable, Codable {
        /// The candidate is being fetched and loaded.
        case loading
        /// Requests are shared, or mirrored, by the strategy.
        case running
        /// The candidate is loaded, and waits to be promoted.
        case ready
        /// The candidate took over.
        case promoted
        /// The stable version stayed.
        case aborted
    }

    /// A deployment that may take over.
    package struct Candidate: Sendable, Equatable, Codable {
        package var deployment: Int64
        /// Its part of the requests, from 0 to 1.
        package var share: Double
    }

    package var strategy: Strategy
    package var phase = Phase.loading
    /// One; more for an A/B test of several versions.
    package var candidates: [Candidate]
    /// The deployment that they are compared with; nil for the first of an endpoint.
    package var stable: Int64?
    /// Counts from 0.
    package var step = 0
    /// The candidate's shares, one for each step, from 0 to 1.
    package var shares: [Double] = []
    /// Milliseconds since 1970.
    package var began: Int64
    package var stepBegan: Int64
    /// The candidate's requests before this step.
    package var requestsBefore = 0
    package var actor: String
    package var reason: String
    /// The revision that is restored, for a roll back to a version that has to be loaded first.
    package var restores: Int64?
    /// Why it ended.
    package var outcome: String?
    package var evidence = Evidence()

    package init(
        strategy: Strategy,
        candidate: Int64,
        stable: Int64?,
        now: Int64,
        actor: String,
        reason: String
    ) {
        self.strategy = strategy
        candidates = [Candidate(deployment: candidate, share: 0)]
        self.stable = stable
        began = now
        stepBegan = now
        self.actor = actor
        self.reason = reason
    }
}

/// What a rollout has shown so far.
package struct Evidence: Sendable, Equatable, Codable {
    /// What each deployment did since the rollout began, by number.
    package var arms: [Int64: ArmSummary] = [:]
    package var errors: RatioTest?
    package var slow: RatioTest?
    /// What counts as slow, in nanoseconds; 0 while too little is known of the stable version.
    package var slowThreshold: UInt64 = 0
    package var shadow: ShadowSummary?

    package init() {}
}

/// What comparing a candidate's answers with the live ones gave.
package struct ShadowSummary: Sendable, Equatable, Codable {
    /// Pairs of answers that were compared.
    package var compared = 0
    /// Those that agreed: the same texts and whole numbers, and floats but for rounding.
    package var agreed = 0
    /// Requests that the candidate failed and the stable version answered.
    package var failed = 0
    /// Requests that were not mirrored because the candidate fell behind.
    package var dropped = 0
    /// The largest difference of two numbers.
    package var maximumDifference = 0.0
    /// The sum over pairs of their largest difference.
    package var differences = 0.0

    package init() {}
}
