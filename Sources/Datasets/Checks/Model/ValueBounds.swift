package import ApusTable

/// From where to where a value may lie.
package struct ValueBounds: Sendable, Hashable {
    /// Nil for no bound.
    package var lower: TableValue?
    package var upper: TableValue?
    /// Whether the bound itself is outside.
    package var isLowerStrict: Bool
    package var isUpperStrict: Bool

    package init(
        _ lower: TableValue? = nil,
        _ upper: TableValue? = nil,
        isLowerStrict: Bool = false,
        isUpperStrict: Bool = false
    ) {
        self.lower = lower
        self.upper = upper
        self.isLowerStrict = isLowerStrict
        self.isUpperStrict = isUpperStrict
    }

    /// Whether a number lies between bounds that are numbers; nil if a bound is none.
    package func contains(_ number: Double) -> Bool? {
        guard let range = numbers, !number.isNaN else { return numbers == nil ? nil : false }
        let above = range.lower.map { isLowerStrict ? number > $0 : number >= $0 } ?? true
        let below = range.upper.map { isUpperStrict ? number < $0 : number <= $0 } ?? true
        return above && below
    }

    /// Whether all, none (`false`) or perhaps some (nil) of the numbers of a range lie between the bounds.
    package func contains(_ range: ClosedRange<Double>) -> Bool? {
        guard let low = contains(range.lowerBound), let high = contains(range.upperBound), let bounds = numbers else {
            return nil
        }
        if low && high { return true }
        let isBelow = bounds.lower.map { isLowerStrict ? range.upperBound <= $0 : range.upperBound < $0 } ?? false
        let isAbove = bounds.upper.map { isUpperStrict ? range.lowerBound >= $0 : range.lowerBound > $0 } ?? false
        return isBelow || isAbove ? false : nil
    }

    /// The bounds as numbers; nil when one of them is none.
    package var numbers: (lower: Double?, upper: Double?)? {
        if let lower, lower.double == nil { return nil }
        if let upper, upper.double == nil { return nil }
        return (lower?.double, upper?.double)
    }

    /// Such as `from 0 to 120`.
    package var text: String {
        if let lower, lower == upper { return "equal to \(lower.shown)" }
        let low = lower.map { isLowerStrict ? "above \($0.shown)" : "at least \($0.shown)" }
        let high = upper.map { isUpperStrict ? "below \($0.shown)" : "at most \($0.shown)" }
        return [low, high].compactMap(\.self).joined(separator: " and ")
    }
}

extension TableValue {
    /// A number; nil for what is none.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        case .null, .boolean, .text: nil
        }
    }

    /// The value for people; texts as they are.
    package var shown: String {
        switch self {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .integer(let value): "\(value)"
        case .number(let value): value.rounded() == value && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
        case .text(let value): value
        }
    }
}
