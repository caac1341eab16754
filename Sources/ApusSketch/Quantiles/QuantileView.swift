/// What a quantile sketch knows, in order, for many questions in a row.
package struct QuantileView: Sendable {
    /// The finite numbers that are left, ascending.
    private let values: [Double]
    /// How many numbers each and all before it stand for.
    private let weights: [Int]
    private let negativeInfinityCount: Int
    /// The exact range of the finite numbers, if there are any.
    let range: ClosedRange<Double>?
    /// Of all numbers.
    package let count: Int

    init(_ sketch: QuantileSketch) {
        var pairs: [(value: Double, weight: Int)] = []
        for digit in 0..<sketch.shift where sketch.taken & 1 << UInt64(digit) != 0 {
            pairs.append((sketch.digits[digit], 1 << digit))
        }
        for level in 0..<sketch.levelCount {
            for place in sketch.starts[level]..<sketch.starts[level + 1] {
                pairs.append((sketch.items[place], 1 << (sketch.shift + level)))
            }
        }
        pairs.sort { $0.value < $1.value }
        values = pairs.map(\.value)
        var sum = 0
        weights = pairs.map { pair in
            sum += pair.weight
            return sum
        }
        negativeInfinityCount = sketch.negativeInfinityCount
        range = sketch.finiteCount > 0 ? sketch.low...sketch.high : nil
        count = sketch.count
    }

    private var finiteCount: Int { weights.last ?? 0 }

    /// The number at a place of all numbers in order, from 0.
    private func value(at place: Int) -> Double {
        let place = place - negativeInfinityCount
        guard let range, place < finiteCount else { return place < 0 ? -.infinity : .infinity }
        if place < 0 { return -.infinity }
        if place == 0 { return range.lowerBound }
        if place == finiteCount - 1 { return range.upperBound }
        return values[Self.first(weights) { $0 > place }]
    }

    /// The number below which a part of all numbers lies: as `numpy.quantile` has it, exact or linear between two
    /// neighbours while nothing was left out.
    ///
    /// - Parameter part: 0 to 1; the nearest is taken.
    /// - Returns: Nil for no numbers, or if `part` is NaN.
    package func quantile(_ part: Double) -> Double? {
        guard count > 0, !part.isNaN else { return nil }
        let place = min(1, max(0, part)) * Double(count - 1)
        // A count may round up on its way through a double.
        let before = min(count - 1, Int(place.rounded(.down)))
        let fraction = place - Double(before)
        let lower = value(at: before)
        guard fraction > 0, before < count - 1 else { return lower }
        let upper = value(at: before + 1)
        if lower == upper || lower == -.infinity { return lower }
        let difference = upper - lower
        return difference.isFinite || upper == .infinity
            ? lower + difference * fraction : lower * (1 - fraction) + upper * fraction
    }

    /// How many numbers are less than this one, or not more, about.
    private func count(_ value: Double, inclusive: Bool) -> Int {
        func isBelow(_ other: Double) -> Bool { inclusive ? other <= value : other < value }
        guard isBelow(-.infinity) else { return 0 }
        guard let range, isBelow(range.lowerBound) else { return isBelow(.infinity) ? count : negativeInfinityCount }
        if isBelow(.infinity) { return count }
        if isBelow(range.upperBound) { return negativeInfinityCount + finiteCount }
        let place = Self.first(values) { !isBelow($0) }
        // The least number is below, the largest is not, whatever is left of them.
        let inside = min(max(place > 0 ? weights[place - 1] : 0, 1), finiteCount - 1)
        return negativeInfinityCount + inside
    }

    /// The first place in an ascending list from which on something holds.
    private static func first<T>(_ list: [T], _ holds: (T) -> Bool) -> Int {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if holds(list[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The part of all numbers that are not more than this one: the cumulative distribution.
    ///
    /// - Returns: Nil for no numbers, or if `value` is NaN.
    package func rank(of value: Double) -> Double? {
        guard count > 0, !value.isNaN else { return nil }
        return Double(count(value, inclusive: true)) / Double(count)
    }

    /// The finite numbers in bins of equal width from the least to the largest.
    ///
    /// - Parameter bins: 1 to 10,000; the nearest is taken.
    /// - Returns: Nil if there is no finite number.
    package func histogram(bins: Int) -> ValueHistogram? {
        guard let range else { return nil }
        let bins = min(10_000, max(1, bins))
        var (low, high) = (range.lowerBound, range.upperBound)
        if low == high { (low, high) = (low - 0.5, high + 0.5) }
        var edges = [low]
        var counts: [Int] = []
        var below = negativeInfinityCount
        for bin in 1..<bins {
            let part = Double(bin) / Double(bins)
            // Rounding must not turn the order.
            let edge = min(high, max(edges[bin - 1], low * (1 - part) + high * part))
            let now = count(edge, inclusive: false)
            edges.append(edge)
            counts.append(now - below)
            below = now
        }
        edges.append(high)
        counts.append(negativeInfinityCount + finiteCount - below)
        return ValueHistogram(edges: edges, counts: counts)
    }
}

extension QuantileSketch {
    /// All that is known, in order; make it once to ask much.
    package var view: QuantileView { QuantileView(self) }

    /// See ``QuantileView/quantile(_:)``.
    package func quantile(_ part: Double) -> Double? { view.quantile(part) }

    /// The quantiles at these parts, or nothing if there are no numbers.
    package func quantiles(_ parts: [Double]) -> [Double] {
        let view = view
        return parts.compactMap { view.quantile($0) }
    }

    /// See ``QuantileView/rank(of:)``.
    package func rank(of value: Double) -> Double? { view.rank(of: value) }

    /// See ``QuantileView/histogram(bins:)``.
    package func histogram(bins: Int) -> ValueHistogram? { view.histogram(bins: bins) }
}
