import ApusCommand
import Synchronization

/// The sequential tests of a rollout, fed by the requests themselves.
///
/// Only failures and slow answers are events, so the usual request takes no lock here.
final class RolloutTests: Sendable {
    /// A version that was just loaded is slow at first, which is no fault of it.
    private static let warmUpRequests = 20

    private struct State {
        var errors: RatioTest?
        var slow: RatioTest?
    }

    private let state: Mutex<State>
    private let threshold: Atomic<UInt64>

    init(_ evidence: Evidence, guards: Guards) {
        state = Mutex(
            State(
                errors: guards.errorRatio.map { evidence.errors ?? RatioTest(tolerated: $0) },
                slow: guards.latencyFactor.map { _ in evidence.slow ?? RatioTest(tolerated: guards.slowRatio) }
            )
        )
        threshold = Atomic(evidence.slowThreshold)
    }

    /// Takes note of a request that was dealt to the candidate with the probability `share`.
    func observe(onCandidate: Bool, share: Double, nanoseconds: UInt64, hasFailed: Bool, armRequests: Int) {
        if hasFailed {
            state.withLock { $0.errors?.observe(onCandidate: onCandidate, share: share) }
        } else {
            let limit = threshold.load(ordering: .relaxed)
            guard limit > 0, nanoseconds > limit, armRequests > Self.warmUpRequests else { return }
            state.withLock { $0.slow?.observe(onCandidate: onCandidate, share: share) }
        }
    }

    /// What counts as slow from now on, in nanoseconds; 0 for nothing.
    func setThreshold(_ nanoseconds: UInt64) { threshold.store(nanoseconds, ordering: .relaxed) }

    func write(to evidence: inout Evidence) {
        state.withLock { state in
            evidence.errors = state.errors
            evidence.slow = state.slow
        }
        evidence.slowThreshold = threshold.load(ordering: .relaxed)
    }
}

/// Judges what a rollout has shown.
enum RolloutVerdict {
    /// The stable version's requests from which on its latency is known well enough.
    private static let knownRequests = 100

    /// What counts as slow, in nanoseconds; 0 while too little is known.
    static func slowThreshold(_ stable: ArmSummary, _ guards: Guards) -> UInt64 {
        guard let factor = guards.latencyFactor, stable.latencies.count >= knownRequests,
            let quantile = stable.latencies.quantile(guards.latencyQuantile)
        else { return 0 }
        return UInt64(exactly: (Double(quantile) * factor).rounded()) ?? 0
    }

    /// Why the candidate must not go on; nil while nothing speaks against it.
    static func alarm(_ evidence: Evidence, candidate: Int64, stable: Int64, guards: Guards) -> String? {
        let (base, other) = (evidence.arms[stable] ?? ArmSummary(), evidence.arms[candidate] ?? ArmSummary())
        if let test = evidence.errors, test.isEstablished(level: guards.level) {
            return "Errors: \(other.failures) of \(other.requests) requests failed on the new version, and "
                + "\(base.failures) of \(base.requests) on the stable one (p = \(NumberText.short(test.pValue)))."
        }
        if let test = evidence.slow, test.isEstablished(level: guards.level) {
            return "Latency: \(test.candidate) of \(other.requests) requests of the new version took longer than "
                + "\(NumberText.short(Double(evidence.slowThreshold) / 1e6)) ms, and \(test.stable) of \(base.requests) of the "
                + "stable one (p = \(NumberText.short(test.pValue)))."
        }
        guard let drop = guards.rewardDrop,
            let difference = ConfidenceSequences.difference(base.rewards, other.rewards, level: guards.level),
            difference.upperBound < -drop
        else { return nil }
        return "Reward: the new version's mean is \(NumberText.short(other.rewards.mean)), the stable one's "
            + "\(NumberText.short(base.rewards.mean)); the difference is below \(NumberText.short(difference.upperBound))."
    }
}
