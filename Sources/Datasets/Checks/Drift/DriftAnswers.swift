import ApusSketch
import ApusTable

/// Compares two columns by their profiles.
struct DriftAnswers {
    let reference: ColumnProfile
    let current: ColumnProfile

    /// What is found; nil when the profiles leave it open on which side of the threshold the distance is.
    func finding(_ test: DriftTest) -> CheckFinding? {
        guard let (range, middle, bins) = distance(test.method) else { return nil }
        let isBelow = range.upperBound < test.threshold
        guard isBelow || range.lowerBound >= test.threshold else { return nil }
        var finding = CheckFinding.drift(test, middle)
        finding.success = isBelow
        finding.answeredBy = .profile
        if range.lowerBound < range.upperBound {
            finding.bound = "from \(Self.short(range.lowerBound)) to \(Self.short(range.upperBound))"
        }
        if let bins { finding.details = [.init("bins", .integer(bins))] }
        return finding
    }

    private typealias Distance = (range: ClosedRange<Double>, middle: Double, bins: Int?)

    private func distance(_ method: DriftMethod) -> Distance? {
        let areNumbers = Self.isNumber(reference) && Self.isNumber(current)
        if method == .ks { return areNumbers ? kolmogorovSmirnov() : nil }
        guard areNumbers else { return values(method) }
        // Whether there are more values than are told apart must be beyond doubt.
        if let few = Self.exactCounts(reference), few.count <= CheckPlanner.manyValues { return values(method) }
        guard reference.distinct.estimate > 1.2 * Double(CheckPlanner.manyValues) else { return nil }
        return binned(method)
    }

    private static func isNumber(_ column: ColumnProfile) -> Bool {
        (column.type == .integer || column.type == .number) && column.infiniteCount == 0
    }

    /// Value by value, which needs all of them.
    private func values(_ method: DriftMethod) -> Distance? {
        guard reference.type == current.type, reference.type == .integer || reference.type == .text,
            let left = Self.exactCounts(reference), let right = Self.exactCounts(current)
        else { return nil }
        let keys = Set(left.keys).union(right.keys).sorted { $0.lexicographicallyPrecedes($1) }
        let (all, others) = (left.values.reduce(0, +), right.values.reduce(0, +))
        guard all > 0, others > 0 else { return nil }
        let distance = SpreadDistance.of(
            method,
            reference: keys.map { Double(left[$0] ?? 0) / Double(all) },
            current: keys.map { Double(right[$0] ?? 0) / Double(others) }
        )
        return (distance...distance, distance, keys.count)
    }

    private static func exactCounts(_ column: ColumnProfile) -> [[UInt8]: Int]? {
        let present = column.count - column.missing - column.nanCount
        guard let frequent = column.frequent, frequent.isExact, frequent.total == present else { return nil }
        var counts: [[UInt8]: Int] = [:]
        for item in frequent.top(frequent.capacity) {
            guard !item.isTruncated, item.lowerBound == item.upperBound else { return nil }
            counts[item.key] = item.lowerBound
        }
        return counts.values.reduce(0, +) == present ? counts : nil
    }

    private func binned(_ method: DriftMethod) -> Distance? {
        guard let left = reference.quantiles, let right = current.quantiles, left.count > 0, right.count > 0,
            let low = [left.minimum, right.minimum].compactMap(\.self).min(),
            let high = [left.maximum, right.maximum].compactMap(\.self).max(), low.isFinite, high.isFinite
        else { return nil }
        let areIntegers = reference.type == .integer && current.type == .integer
        let bins = SpreadBins(over: low...high, total: left.count + right.count, areIntegers: areIntegers)
        let (first, second) = (Self.parts(left, bins), Self.parts(right, bins))
        let middle = SpreadDistance.of(method, reference: first, current: second)
        guard !left.isExact || !right.isExact else { return (middle...middle, middle, bins.count) }
        let range = SpreadDistance.range(
            method,
            reference: first,
            current: second,
            referenceError: left.isExact ? 0 : 2 * left.intervalError,
            currentError: right.isExact ? 0 : 2 * right.intervalError
        )
        return (min(range.lowerBound, middle)...max(range.upperBound, middle), middle, bins.count)
    }

    /// The parts of all numbers in each bin; a number at an edge is in the bin that begins there, as numpy has it.
    private static func parts(_ sketch: QuantileSketch, _ bins: SpreadBins) -> [Double] {
        let view = sketch.view
        let edges = bins.edges
        var before = 0.0
        return (0..<bins.count).map { bin in
            let rank = bin == bins.count - 1 ? 1 : view.rank(of: edges[bin + 1].nextDown) ?? before
            defer { before = rank }
            return max(0, rank - before)
        }
    }

    private func kolmogorovSmirnov() -> Distance? {
        guard let left = reference.quantiles, let right = current.quantiles, left.count > 0, right.count > 0 else {
            return nil
        }
        let (first, second) = (left.view, right.view)
        let steps = 1024
        var distance = 0.0
        for step in 0...steps {
            let part = Double(step) / Double(steps)
            for point in [first.quantile(part), second.quantile(part)].compactMap(\.self) {
                distance = max(distance, abs((first.rank(of: point) ?? 0) - (second.rank(of: point) ?? 0)))
            }
        }
        let error =
            (left.isExact ? 0 : 2 * left.rankError) + (right.isExact ? 0 : 2 * right.rankError) + 2 / Double(steps)
        return (max(0, distance - error)...min(1, distance + error), distance, nil)
    }

    private static func short(_ number: Double) -> String {
        TableValue.number((number * 1e4).rounded() / 1e4).shown
    }
}
