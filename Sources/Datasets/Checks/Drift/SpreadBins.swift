import Glibc

/// Bins of equal width over the numbers of two tables.
package struct SpreadBins: Sendable, Equatable {
    package let lower: Double
    package let upper: Double
    /// At least 1.
    package let count: Int

    /// Sturges' bins as numpy has them; those of integers are not narrower than 1.
    ///
    /// - Parameters:
    ///   - range: From the least number to the largest.
    ///   - total: How many numbers there are in both tables.
    ///   - areIntegers: Whether both tables have integers.
    /// - SeeAlso: `_get_bin_edges` in numpy's `lib/_histograms_impl.py`.
    package init(over range: ClosedRange<Double>, total: Int, areIntegers: Bool) {
        let width = range.upperBound - range.lowerBound
        var step = width / (log2(Double(max(1, total))) + 1)
        if areIntegers, step < 1 { step = 1 }
        guard width > 0, step > 0, width.isFinite else {
            (lower, upper) = (range.lowerBound - 0.5, range.upperBound + 0.5)
            count = 1
            return
        }
        (lower, upper) = (range.lowerBound, range.upperBound)
        count = max(1, Int(exactly: min(10_000, (width / step).rounded(.up))) ?? 1)
    }

    /// Where the bins begin, and the end of the last one.
    package var edges: [Double] { (0...count).map { lower + (upper - lower) * Double($0) / Double(count) } }

    /// Which bin an expression falls in, as SQL.
    func bin(_ expression: String) -> String {
        "least(\(count - 1), greatest(0, CAST(floor((\(expression) - \(Self.literal(lower))) "
            + "/ \(Self.literal(upper - lower)) * \(count)) AS BIGINT)))"
    }

    private static func literal(_ number: Double) -> String { "CAST('\(number)' AS DOUBLE)" }
}
