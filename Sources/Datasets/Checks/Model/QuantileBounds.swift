/// From where to where a quantile may lie.
package struct QuantileBounds: Sendable, Hashable {
    /// 0 to 1.
    package var part: Double
    package var bounds: ValueBounds

    package init(part: Double, bounds: ValueBounds) {
        self.part = part
        self.bounds = bounds
    }

    /// Whether the quantile's value will do; a ten-thousandth beside a bound it still does.
    ///
    /// - SeeAlso: `_quantile_is_in_range` in Great Expectations' `expect_column_quantile_values_to_be_between.py`.
    package func contains(_ value: Double) -> Bool {
        func isClose(_ bound: Double?) -> Bool {
            guard let bound, bound.isFinite else { return false }
            return abs(value - bound) <= 1e-8 + 1e-4 * abs(bound)
        }
        let near = bounds.numbers
        return bounds.contains(value) == true || isClose(near?.lower ?? nil) || isClose(near?.upper ?? nil)
    }
}

/// What a quantile between two values is.
package enum QuantileInterpolation: String, Sendable, CaseIterable {
    /// The nearer of the two, which is what Great Expectations takes; the one with the even number if both are.
    case nearest
    case linear
}
