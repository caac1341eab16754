/// Learns how long a run takes: a fixed part, and a part for each row.
///
/// Least squares over exponentially fading observations, so that it follows a model whose speed changes.
package struct RunTimeEstimate: Sendable {
    private static let fading = 0.95
    private var weight = 0.0
    private var sumRows = 0.0
    private var sumTime = 0.0
    private var sumRowsSquared = 0.0
    private var sumProducts = 0.0
    private var largest = 0.0

    package init() {}

    /// Takes note of a run of `rows` rows that took `seconds`.
    package mutating func observe(rows: Int, seconds: Double) {
        let rows = Double(rows)
        largest = max(largest * Self.fading, rows)
        weight = weight * Self.fading + 1
        sumRows = sumRows * Self.fading + rows
        sumTime = sumTime * Self.fading + seconds
        sumRowsSquared = sumRowsSquared * Self.fading + rows * rows
        sumProducts = sumProducts * Self.fading + rows * seconds
    }

    /// Seconds for each run, whatever its size, and for each row; nil before anything was observed.
    package var parts: (fixed: Double, perRow: Double)? {
        guard weight > 0 else { return nil }
        let spread = weight * sumRowsSquared - sumRows * sumRows
        // Runs of one size do not tell the two apart.
        guard spread > 1e-9 * weight * weight else { return (sumTime / weight, 0) }
        let perRow = max(0, (weight * sumProducts - sumRows * sumTime) / spread)
        return (max(0, (sumTime - perRow * sumRows) / weight), perRow)
    }

    /// How many seconds a run of `rows` rows will take; nil before anything was observed.
    ///
    /// Far beyond what was seen it is taken to grow with the rows, which is the worst case.
    package func seconds(rows: Int) -> Double? {
        parts.map { ($0.fixed + $0.perRow * Double(rows)) * max(1, Double(rows) / max(1, largest * 2)) }
    }
}
