/// When to try again after a failure that may pass: later each time, with some chance in it.
///
/// Attempts that brought bytes do not count against the next ones, so a long download over a bad line goes on as long as
/// it gets on.
package struct RetrySchedule: Sendable {
    /// The most attempts in a row that bring nothing.
    package var attempts = 6
    /// The most attempts at all.
    package var totalAttempts = 1_000
    package var firstPause: Duration = .milliseconds(500)
    package var longestPause: Duration = .seconds(30)
    /// A server that asks for a longer wait than this is not waited for.
    package var patience: Duration = .seconds(300)

    private var fruitless = 0
    private var total = 0

    package init() {}

    /// Decides what follows a failed attempt.
    ///
    /// - Parameters:
    ///   - hasProgressed: Whether the attempt brought bytes.
    ///   - retryAfter: For how long the server asks to wait.
    ///   - chance: From 0 to 1.
    /// - Returns: The pause before the next attempt, or nil to give up.
    mutating func pause(hasProgressed: Bool, retryAfter: Duration?, chance: Double) -> Duration? {
        fruitless = hasProgressed ? 1 : fruitless + 1
        total += 1
        guard fruitless < attempts, total < totalAttempts else { return nil }
        if let retryAfter { return retryAfter <= patience ? max(retryAfter, .zero) : nil }
        let full = min(longestPause, firstPause * (1 << min(fruitless - 1, 16)))
        // From half of it on, so that many clients do not come back together.
        return full * (0.5 + chance / 2)
    }
}
