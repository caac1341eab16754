import ApusTable

/// The `kwargs` of an expectation of Great Expectations; knows which of them were asked for.
struct ExpectationArguments {
    /// Why an expectation cannot be read.
    struct Fault: Error { let message: String }

    private let members: [(name: String, value: SuiteNode)]
    private(set) var taken: Set<String> = []

    init(_ members: [(name: String, value: SuiteNode)]) { self.members = members }

    /// The argument; nil when it is not there or null.
    mutating func take(_ name: String) throws(Fault) -> SuiteNode? {
        taken.insert(name)
        guard let node = members.last(where: { $0.name == name })?.value, !node.isNull else { return nil }
        if node["$PARAMETER"] != nil {
            throw Fault(message: "'\(name)' is a suite parameter; write its value instead")
        }
        return node
    }

    mutating func text(_ name: String) throws(Fault) -> String {
        guard let text = try take(name)?.text, !text.isEmpty else { throw Fault(message: "'\(name)' is not a text") }
        return text
    }

    mutating func texts(_ name: String) throws(Fault) -> [String] {
        let texts = try take(name)?.elements?.map(\.text) ?? []
        guard !texts.isEmpty, !texts.contains(nil) else {
            throw Fault(message: "'\(name)' is not a list of texts")
        }
        return texts.compactMap(\.self)
    }

    mutating func flag(_ name: String) throws(Fault) -> Bool {
        guard let node = try take(name) else { return false }
        guard let flag = node.bool else { throw Fault(message: "'\(name)' is not true or false") }
        return flag
    }

    mutating func number(_ name: String) throws(Fault) -> Double? {
        guard let node = try take(name) else { return nil }
        guard let number = node.double, number.isFinite else { throw Fault(message: "'\(name)' is not a number") }
        return number
    }

    mutating func values(_ name: String) throws(Fault) -> [TableValue] {
        let values = try take(name)?.elements?.map { $0.scalar ?? .null } ?? []
        guard !values.isEmpty else { throw Fault(message: "'\(name)' is not a list of values") }
        // Great Expectations looks at no missing values either.
        let present = values.filter { $0 != .null }
        guard !present.isEmpty else { throw Fault(message: "'\(name)' has no value that is not null") }
        return present
    }

    /// `min_value`, `max_value`, `strict_min`, `strict_max`.
    mutating func bounds() throws(Fault) -> ValueBounds {
        let (low, high) = (try take("min_value"), try take("max_value"))
        let (strictLow, strictHigh) = (try flag("strict_min"), try flag("strict_max"))
        if let node = low ?? high, node.scalar == nil { throw Fault(message: "a bound is not a single value") }
        guard let bounds = Self.bounds(low?.scalar, high?.scalar, strictLow, strictHigh) else {
            throw Fault(message: "there is neither 'min_value' nor 'max_value'")
        }
        if let numbers = bounds.numbers, let low = numbers.lower, let high = numbers.upper, low > high {
            throw Fault(message: "'min_value' is above 'max_value'")
        }
        return bounds
    }

    /// Exactly `value`.
    mutating func exactly(_ name: String) throws(Fault) -> ValueBounds {
        guard let value = try take(name)?.scalar, value.double != nil else {
            throw Fault(message: "'\(name)' is not a number")
        }
        return ValueBounds(value, value)
    }

    private static func bounds(_ low: TableValue?, _ high: TableValue?, _ lowIsStrict: Bool, _ highIsStrict: Bool)
        -> ValueBounds?
    {
        guard low != nil || high != nil else { return nil }
        return ValueBounds(
            low,
            high,
            isLowerStrict: low != nil && lowIsStrict,
            isUpperStrict: high != nil && highIsStrict
        )
    }

    /// Arguments that nobody asked for and that say something.
    var rest: [String] {
        members.filter { !taken.contains($0.name) && !$0.value.isNull && $0.value.bool != false }.map(\.name)
    }
}
