import ApusSketch
import ApusTable

/// Answers questions about one column from its profile.
struct ColumnAnswers {
    private let column: ColumnProfile

    init(_ column: ColumnProfile) { self.column = column }

    private var missing: Int { column.missing + column.nanCount }
    private var present: Int { max(0, column.count - missing) }
    private var isNumber: Bool { column.type == .integer || column.type == .number }
    /// Whether sums, ranks and extremes leave nothing out.
    private var isFinite: Bool { column.infiniteCount == 0 }

    /// How many values fail; nil when that is not sure.
    func unexpected(_ test: ValueTest) -> Int? {
        switch test {
        case .notNull: return missing
        case .null: return present
        case .between(let bounds): return present == 0 ? nil : outside(bounds)
        case .length(let bounds):
            guard let lengths = column.lengths, lengths.count == present, let low = lengths.minimum,
                let high = lengths.maximum, low <= high
            else { return nil }
            return bounds.contains(low...high).map { $0 ? 0 : present }
        case .inSet(let values): return occurrences(of: values).map { present - $0 }
        case .notInSet(let values): return occurrences(of: values)
        case .unique: return exactCounts?.reduce(0) { $0 + ($1.count > 1 ? $1.count : 0) }
        default: return nil
        }
    }

    private func outside(_ bounds: ValueBounds) -> Int? {
        guard let low = column.minimum, let high = column.maximum else { return nil }
        if isNumber {
            guard isFinite, let low = low.double, let high = high.double, low <= high else { return nil }
            return bounds.contains(low...high).map { $0 ? 0 : present }
        }
        guard case .text(let lowText) = low, case .text(let highText) = high else { return nil }
        switch column.type {
        case .text:
            // Of longer texts only the beginning is known.
            guard highText.utf8.count < 256 else { return nil }
            func isAbove(_ left: String, _ right: String) -> Bool { right.utf8.lexicographicallyPrecedes(left.utf8) }
            if case .text(let bound)? = bounds.lower {
                guard isAbove(lowText, bound) || !bounds.isLowerStrict && lowText.utf8.elementsEqual(bound.utf8) else {
                    return nil
                }
            } else if bounds.lower != nil {
                return nil
            }
            if case .text(let bound)? = bounds.upper {
                guard isAbove(bound, highText) || !bounds.isUpperStrict && highText.utf8.elementsEqual(bound.utf8)
                else {
                    return nil
                }
            } else if bounds.upper != nil {
                return nil
            }
            return 0
        case .date, .timestamp:
            guard let low = ISOTimestamp.seconds(lowText), let high = ISOTimestamp.seconds(highText), low <= high,
                let moments = bounds.moments
            else { return nil }
            return moments.contains(low...high).map { $0 ? 0 : present }
        default: return nil
        }
    }

    // MARK: Statistics

    func statistic(_ statistic: ColumnStatistic, _ bounds: ValueBounds) -> CheckFinding? {
        switch statistic {
        case .nullShare:
            return .statistic(column.count == 0 ? 0 : Double(missing) / Double(column.count), bounds)
        case .minimum: return extreme(column.minimum, bounds)
        case .maximum: return extreme(column.maximum, bounds)
        case .mean: return moment(bounds) { $0.mean }
        case .sum: return moment(bounds) { $0.sum }
        case .standardDeviation:
            guard present > 1 else { return nil }
            return moment(bounds) { $0.standardDeviation }
        case .median:
            guard let range = quantileRange(0.5), let success = bounds.contains(range.values) else { return nil }
            return sketched(success, .number(range.middle), range.bound)
        case .distinctCount: return different(bounds, for: 1)
        case .uniqueShare: return present == 0 ? nil : different(bounds, for: Double(present))
        }
    }

    private func extreme(_ value: TableValue?, _ bounds: ValueBounds) -> CheckFinding? {
        guard let value, present > 0 else { return nil }
        if isNumber {
            guard isFinite, bounds.numbers != nil, let number = value.double else { return nil }
            return .statistic(number, bounds)
        }
        guard column.type == .date || column.type == .timestamp, case .text(let text) = value,
            let seconds = ISOTimestamp.seconds(text), let moments = bounds.moments
        else { return nil }
        return CheckFinding(success: moments.contains(seconds) == true, observed: .scalar(value))
    }

    /// A value of the moments; when it is as near to a bound as rounding may move it, the rows are asked.
    private func moment(_ bounds: ValueBounds, _ value: (Moments) -> Double) -> CheckFinding? {
        guard isNumber, isFinite, let moments = column.moments, moments.count == present, present > 0,
            let low = moments.minimum, let high = moments.maximum
        else { return nil }
        let number = value(moments)
        let scale = max(abs(low), abs(high)) * 1e-12 + abs(number) * 1e-9
        guard number.isFinite, scale.isFinite, let success = bounds.contains((number - scale)...(number + scale)) else {
            return nil
        }
        return CheckFinding(success: success, observed: .number(number))
    }

    private func different(_ bounds: ValueBounds, for base: Double) -> CheckFinding? {
        if let exact = exactCounts?.count { return .statistic(Double(exact) / base, bounds) }
        let estimate = column.distinct.estimate
        let margin = 5 * column.distinct.relativeError * estimate + 1
        let range = max(0, estimate - margin)...min(Double(present), estimate + margin)
        guard range.lowerBound <= range.upperBound,
            let success = bounds.contains((range.lowerBound / base)...(range.upperBound / base))
        else { return nil }
        return sketched(success, .number(min(estimate, Double(present)) / base), "± \(Self.short(margin / base))")
    }

    // MARK: Quantiles

    func quantiles(_ bounds: [QuantileBounds]) -> CheckFinding? {
        var ranges: [(range: QuantileRange, success: Bool)] = []
        for bound in bounds {
            guard let range = quantileRange(bound.part) else { return nil }
            // A quantile that is a little outside will still do.
            let slack = 1e-3 * max(abs(range.values.lowerBound), abs(range.values.upperBound)) + 1e-8
            let wide = (range.values.lowerBound - slack)...(range.values.upperBound + slack)
            guard let success = bound.bounds.contains(wide) else { return nil }
            ranges.append((range, success))
        }
        guard let first = ranges.first else { return nil }
        var finding = CheckFinding.quantiles(bounds, ranges.map(\.range.middle))
        finding.success = ranges.allSatisfy(\.success)
        finding.details = [.init("success_details", .list(ranges.map { .bool($0.success) }))]
        finding.bound = first.range.bound
        return finding
    }

    private struct QuantileRange {
        let values: ClosedRange<Double>
        let middle: Double
        let bound: String
    }

    private func quantileRange(_ part: Double) -> QuantileRange? {
        guard isNumber, isFinite, present > 0, let sketch = column.quantiles, sketch.count == present else {
            return nil
        }
        let view = sketch.view
        let error = max(sketch.isExact ? 0 : 2 * sketch.rankError, 1 / Double(present))
        guard let low = view.quantile(max(0, part - error)), let high = view.quantile(min(1, part + error)),
            let middle = view.quantile(part), low <= high
        else { return nil }
        return QuantileRange(
            values: low...high,
            middle: middle,
            bound: "from \(Self.short(low)) to \(Self.short(high))"
        )
    }

    // MARK: Sets

    func distinct(_ relation: SetRelation, _ values: [TableValue]) -> CheckFinding? {
        guard let counts = exactCounts, let keys = keys(values) else { return nil }
        let known = Set(counts.map(\.text))
        // A value that can never be in the column has no key.
        let different = Set(values.map { $0.double.map { .number($0) } ?? $0 }).count
        let hasExtra = relation != .contains && !known.isSubset(of: keys)
        let lacks = relation != .within && (keys.count < different || !keys.isSubset(of: known))
        let observed = counts.map(\.text.text).sorted().prefix(100)
        // Which rows have what is too much only the table tells.
        guard !hasExtra, !lacks else { return nil }
        return CheckFinding(success: true, observed: .texts(Array(observed)))
    }

    private func occurrences(of values: [TableValue]) -> Int? {
        guard let counts = exactCounts, let keys = keys(values) else { return nil }
        return counts.reduce(0) { keys.contains($1.text) ? $0 + $1.count : $0 }
    }

    /// All values and how often they come, if that is exactly known; only of integers and texts, whose text is certain.
    private var exactCounts: [(text: ExactKey, count: Int)]? {
        guard column.type == .integer || column.type == .text, let frequent = column.frequent, frequent.isExact,
            frequent.total == present
        else { return nil }
        let items = frequent.top(frequent.capacity)
        guard items.allSatisfy({ !$0.isTruncated && $0.lowerBound == $0.upperBound }),
            items.reduce(0, { $0 + $1.lowerBound }) == present
        else { return nil }
        return items.map { (ExactKey(bytes: $0.key), $0.lowerBound) }
    }

    /// The values as the column writes them; what it never has is left out.
    private func keys(_ values: [TableValue]) -> Set<ExactKey>? {
        Set(
            values.compactMap { value -> ExactKey? in
                switch (column.type, value) {
                case (.text, .text(let text)): ExactKey(bytes: Array(text.utf8))
                case (.integer, .integer(let number)): ExactKey(bytes: Array("\(number)".utf8))
                case (.integer, .number(let number)):
                    Int64(exactly: number).map { ExactKey(bytes: Array("\($0)".utf8)) }
                case (.integer, .boolean(let flag)): ExactKey(bytes: [UInt8(ascii: flag ? "1" : "0")])
                default: nil
                }
            }
        )
    }

    private struct ExactKey: Hashable {
        let bytes: [UInt8]
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    private func sketched(_ success: Bool, _ observed: SuiteValue, _ bound: String) -> CheckFinding {
        CheckFinding(success: success, observed: observed, bound: bound)
    }

    private static func short(_ number: Double) -> String {
        guard number.isFinite, number != 0 else { return TableValue.number(number).shown }
        var scale = 1.0
        while abs(number) * scale < 1000, scale < 1e12 { scale *= 10 }
        return TableValue.number((number * scale).rounded() / scale).shown
    }
}

extension ValueBounds {
    /// Bounds that are dates or times, in seconds since 1970; nil when one of them is none.
    var moments: ValueBounds? {
        func seconds(_ value: TableValue?) -> TableValue?? {
            guard let value else { return .some(nil) }
            guard case .text(let text) = value, let seconds = ISOTimestamp.seconds(text) else { return nil }
            return .number(seconds)
        }
        guard let low = seconds(lower), let high = seconds(upper) else { return nil }
        return ValueBounds(low, high, isLowerStrict: isLowerStrict, isUpperStrict: isUpperStrict)
    }
}
