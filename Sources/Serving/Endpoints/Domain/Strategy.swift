/// How a new version takes over from the one before.
package struct Strategy: Sendable, Equatable, Codable {
    package enum Kind: String, Sendable, Codable, CaseIterable {
        /// The new version takes all requests as soon as it is loaded.
        case allAtOnce = "all-at-once"
        /// Instances are replaced one by one, and requests follow.
        case rolling
        /// The new version waits, loaded, until it is promoted; the old one stays loaded afterwards.
        case blueGreen = "blue-green"
        /// The new version takes a growing part of the requests, as long as it does no worse.
        case canary
        /// The new version gets copies of requests; its answers are compared, and go nowhere.
        case shadow
        /// Versions share the requests until one is promoted.
        case ab = "a-b"
    }

    package var kind: Kind
    /// The candidate's shares of the requests in percent, one after the other; for a canary.
    package var steps: [Double]
    /// How long a step takes at least, in seconds.
    package var holdSeconds: Double
    /// How many requests the candidate answers in a step at least.
    package var minimumRequests: Int
    /// The candidate's share in percent: of an A/B test, or of the requests that are mirrored.
    package var percent: Double
    /// Whether a blue/green rollout switches by itself once the new version is loaded.
    package var isAutomatic: Bool
    package var guards: Guards

    package init(_ kind: Kind = .allAtOnce) {
        self.kind = kind
        steps = [5, 25, 50]
        holdSeconds = kind == .rolling ? 1 : 60
        minimumRequests = kind == .canary ? 50 : 0
        percent = kind == .shadow ? 100 : 50
        isAutomatic = false
        guards = Guards()
    }

    /// Whether the candidate's failures end the rollout.
    package var isGuarded: Bool { kind == .canary || kind == .rolling }

    /// - Throws: ``ServingError`` `invalid` that names the setting.
    package func check() throws {
        guard !steps.isEmpty, steps.count <= 100, steps.allSatisfy({ $0 > 0 && $0 < 100 }),
            zip(steps, steps.dropFirst()).allSatisfy({ $0 < $1 })
        else { throw ServingError.invalid("'steps' must be growing percentages above 0 and below 100.") }
        guard (0...2_592_000).contains(holdSeconds) else {
            throw ServingError.invalid("'hold_seconds' must be from 0 to 2592000, which is 30 days.")
        }
        guard (0...1_000_000_000).contains(minimumRequests) else {
            throw ServingError.invalid("'minimum_requests' must be from 0 to 1000000000.")
        }
        guard percent > 0, percent <= 100, kind != .ab || percent < 100 else {
            throw ServingError.invalid("'percent' must be above 0 and at most 100, and below 100 for an A/B test.")
        }
        try guards.check()
    }
}

/// What ends a rollout and brings the old version back.
///
/// A guard fires when it is established, at the level ``falseAlarmRate`` for all of them together and for as long as
/// the rollout takes, that the candidate is worse than the stable version by more than is tolerated.
package struct Guards: Sendable, Equatable, Codable {
    /// How likely a candidate that is no worse is ever rolled back, by any guard.
    package var falseAlarmRate: Double = 0.05
    /// So many times the stable version's rate of failures are tolerated; nil for no guard.
    package var errorRatio: Double? = 1.1
    /// A request is slow when it takes longer than this many times the stable version's ``latencyQuantile``; nil for
    /// no guard.
    package var latencyFactor: Double? = 1.5
    package var latencyQuantile: Double = 0.95
    /// So many times the stable version's share of slow requests are tolerated.
    package var slowRatio: Double = 1.5
    /// How far the mean reward may fall, in its own units; nil for no guard.
    package var rewardDrop: Double?

    package init() {}

    /// How many guards share the rate of false alarms.
    var count: Int { (errorRatio == nil ? 0 : 1) + (latencyFactor == nil ? 0 : 1) + (rewardDrop == nil ? 0 : 1) }

    /// The rate of false alarms of one guard.
    var level: Double { falseAlarmRate / Double(max(1, count)) }

    func check() throws {
        guard falseAlarmRate > 0, falseAlarmRate < 1 else {
            throw ServingError.invalid("'false_alarm_rate' must be above 0 and below 1.")
        }
        for (name, ratio) in [
            ("error_ratio", errorRatio), ("latency_factor", latencyFactor), ("slow_ratio", slowRatio),
        ] {
            guard let ratio, !(1...1_000).contains(ratio) else { continue }
            throw ServingError.invalid("'\(name)' must be from 1 to 1000.")
        }
        guard latencyQuantile > 0, latencyQuantile < 1 else {
            throw ServingError.invalid("'latency_quantile' must be above 0 and below 1.")
        }
        if let rewardDrop, !rewardDrop.isFinite || rewardDrop < 0 {
            throw ServingError.invalid("'reward_drop' must not be negative.")
        }
    }
}
