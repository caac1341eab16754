import ApusJSON

/// A report on the versions of a rollout: what is known of each, and how sure that is.
///
/// All intervals hold at all times at once, at the level ``level``, so that a test may be watched while it runs.
struct RolloutReport {
    /// The probability that an interval ever misses the truth.
    static let level = 0.05

    let endpoint: Endpoint
    let rollout: Rollout

    func write(to json: inout JSONWriter) {
        json.text("name", endpoint.name)
        json.text("phase", rollout.phase.rawValue)
        json.text("strategy", rollout.strategy.kind.rawValue)
        json.number("start_time", rollout.began)
        json.number("confidence", 1 - Self.level)
        if let outcome = rollout.outcome { json.text("outcome", outcome) }
        let numbers = (rollout.stable.map { [$0] } ?? []) + rollout.candidates.map(\.deployment)
        let base = rollout.stable.flatMap { rollout.evidence.arms[$0] }
        json.key("versions")
        json.array(numbers) { json, number in
            let arm = rollout.evidence.arms[number] ?? ArmSummary()
            json.object { json in
                json.text("version", endpoint.deployments[number]?.version ?? "")
                json.text("role", number == rollout.stable ? "stable" : "candidate")
                json.number("percent", percent(of: number))
                json.counts(arm)
                write(intervals: arm, &json)
                if let base, number != rollout.stable { write(differences: base, arm, &json) }
            }
        }
        json.text("conclusion", conclusion)
    }

    private func percent(of number: Int64) -> Double? {
        let taken = rollout.candidates.reduce(0) { $0 + $1.share }
        if number == rollout.stable { return (1 - taken) * 100 }
        return rollout.candidates.first { $0.deployment == number }.map { $0.share * 100 }
    }

    private func write(intervals arm: ArmSummary, _ json: inout JSONWriter) {
        json.key("error_rate")
        json.estimate(
            arm.requests > 0 ? Double(arm.failures) / Double(arm.requests) : nil,
            ConfidenceSequences.proportion(successes: arm.failures, count: arm.requests, level: Self.level)
        )
        if arm.seconds.count > 0 {
            json.key("mean_latency_ms")
            let radius = ConfidenceSequences.radius(arm.seconds, level: Self.level) * 1000
            let mean = arm.seconds.mean * 1000
            json.estimate(mean, radius.isFinite ? max(0, mean - radius)...(mean + radius) : nil)
        }
        guard arm.rewards.count > 0 else { return }
        json.key("mean_reward")
        json.estimate(arm.rewards.mean, rewardInterval(arm))
    }

    private func rewardInterval(_ arm: ArmSummary) -> ClosedRange<Double>? {
        if arm.isBinary {
            return ConfidenceSequences.proportion(
                successes: arm.conversions,
                count: arm.rewards.count,
                level: Self.level
            )
        }
        let radius = ConfidenceSequences.radius(arm.rewards, level: Self.level)
        return radius.isFinite ? (arm.rewards.mean - radius)...(arm.rewards.mean + radius) : nil
    }

    private func write(differences base: ArmSummary, _ arm: ArmSummary, _ json: inout JSONWriter) {
        json.key("difference")
        json.object { json in
            json.key("error_rate")
            json.estimate(
                rate(arm.failures, arm.requests) - rate(base.failures, base.requests),
                ConfidenceSequences.difference(
                    (base.failures, base.requests),
                    (arm.failures, arm.requests),
                    level: Self.level
                )
            )
            json.key("mean_latency_ms")
            let latency = ConfidenceSequences.difference(base.seconds, arm.seconds, level: Self.level)
            json.estimate(
                (arm.seconds.mean - base.seconds.mean) * 1000,
                latency.map { ($0.lowerBound * 1000)...($0.upperBound * 1000) }
            )
            guard base.rewards.count > 0 || arm.rewards.count > 0 else { return }
            json.key("mean_reward")
            json.estimate(arm.rewards.mean - base.rewards.mean, rewardDifference(base, arm))
        }
    }

    private func rate(_ successes: Int, _ count: Int) -> Double {
        count > 0 ? Double(successes) / Double(count) : 0
    }

    private func rewardDifference(_ base: ArmSummary, _ arm: ArmSummary) -> ClosedRange<Double>? {
        guard base.isBinary, arm.isBinary else {
            return ConfidenceSequences.difference(base.rewards, arm.rewards, level: Self.level)
        }
        return ConfidenceSequences.difference(
            (base.conversions, base.rewards.count),
            (arm.conversions, arm.rewards.count),
            level: Self.level
        )
    }

    /// What the rewards say, or the errors where there are none.
    private var conclusion: String {
        guard let stable = rollout.stable, let base = rollout.evidence.arms[stable] else {
            return "There is nothing to compare with."
        }
        for candidate in rollout.candidates {
            guard let arm = rollout.evidence.arms[candidate.deployment] else { continue }
            let version = endpoint.deployments[candidate.deployment]?.version ?? ""
            if let difference = rewardDifference(base, arm), arm.rewards.count > 0, base.rewards.count > 0 {
                if difference.lowerBound > 0 { return "Version \(version) has the higher mean reward." }
                if difference.upperBound < 0 { return "Version \(version) has the lower mean reward." }
            }
            let errors = ConfidenceSequences.difference(
                (base.failures, base.requests),
                (arm.failures, arm.requests),
                level: Self.level
            )
            if errors.lowerBound > 0 { return "Version \(version) fails more often." }
            if errors.upperBound < 0 { return "Version \(version) fails less often." }
        }
        return "No difference is established yet."
    }
}

extension JSONWriter {
    /// Writes an estimate with its interval; null for what is not known.
    fileprivate mutating func estimate(_ value: Double?, _ range: ClosedRange<Double>?) {
        object { json in
            json.number("estimate", value)
            json.number("lower", range?.lowerBound)
            json.number("upper", range?.upperBound)
        }
    }
}
