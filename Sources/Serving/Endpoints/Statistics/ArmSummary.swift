/// What one deployment did since a moment: requests, failures, latencies and rewards.
package struct ArmSummary: Sendable, Equatable, Codable {
    package var requests = 0
    /// Requests that failed for any reason but the caller's leaving.
    package var failures = 0
    /// Of the answered ones, in nanoseconds.
    package var latencies = LatencyHistogram()
    /// Of the answered ones, in seconds.
    package var seconds = Moments()
    package var rewards = Moments()
    /// Rewards above 0.
    package var conversions = 0
    /// Whether each reward was 0 or 1.
    package var isBinary = true

    package init() {}

    package mutating func answered(_ nanoseconds: UInt64) {
        requests += 1
        latencies.record(nanoseconds)
        seconds.add(Double(nanoseconds) / 1e9)
    }

    package mutating func failed() {
        requests += 1
        failures += 1
    }

    package mutating func reward(_ value: Double) {
        rewards.add(value)
        if value > 0 { conversions += 1 }
        if value != 0, value != 1 { isBinary = false }
    }
}
