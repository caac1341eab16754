/// The mean and the spread of numbers that come one after the other.
///
/// Welford's recurrence, which loses no digits when the mean is large beside the spread.
///
/// - SeeAlso: B. P. Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", 1962.
package struct Moments: Sendable, Equatable, Codable {
    package private(set) var count = 0
    package private(set) var mean = 0.0
    private var squares = 0.0

    package init() {}

    package mutating func add(_ value: Double) {
        guard value.isFinite else { return }
        count += 1
        let before = value - mean
        mean += before / Double(count)
        squares += before * (value - mean)
    }

    /// The variance of what was seen; 0 for fewer than two numbers.
    package var variance: Double { count < 2 ? 0 : max(0, squares / Double(count - 1)) }
}
