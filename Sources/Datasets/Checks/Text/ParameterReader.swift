import ApusTable

/// Reads what stands behind a check's word.
struct ParameterReader {
    let node: SuiteNode
    let place: String

    init(_ node: SuiteNode, place: String) {
        self.node = node
        self.place = place
    }

    /// A list may not be longer.
    static let maximumElements = 100_000

    func mistake(_ message: String) -> SuiteMistake { SuiteMistake(place, line: node.line, message) }

    func member(_ name: String) -> ParameterReader? {
        node[name].map { ParameterReader($0, place: "\(place).\(name)") }
    }

    /// Refuses members that are not known.
    func only(_ names: [String]) throws(SuiteMistake) {
        guard let members = node.members else { throw mistake("a mapping of \(names.joined(separator: ", "))") }
        for (name, value) in members where !names.contains(name) {
            throw SuiteMistake(
                "\(place).\(name)",
                line: value.line ?? node.line,
                "unknown word\(NearestWord.hint(name, in: names))"
            )
        }
    }

    func text() throws(SuiteMistake) -> String {
        guard let text = node.text else { throw mistake("a text, not \(node.kind)") }
        return text
    }

    func number() throws(SuiteMistake) -> Double {
        guard let number = node.double, number.isFinite else { throw mistake("a number, not \(node.kind)") }
        return number
    }

    /// `true`: the word is there because it is meant.
    func meant() throws(SuiteMistake) {
        guard node.bool == true else { throw mistake("'true'; leave the check out if it is not meant") }
    }

    func elements() throws(SuiteMistake) -> [ParameterReader] {
        guard let elements = node.elements else { throw mistake("a list, not \(node.kind)") }
        guard elements.count <= Self.maximumElements else { throw mistake("at most \(Self.maximumElements) elements") }
        return elements.enumerated().map { ParameterReader($1, place: "\(place)[\($0)]") }
    }

    /// Several texts, or one.
    func texts() throws(SuiteMistake) -> [String] {
        if let text = node.text { return [text] }
        var texts: [String] = []
        for element in try elements() {
            guard let text = element.node.text ?? element.node.scalar.map(\.shown), !element.node.isNull else {
                throw element.mistake("a text, not \(element.node.kind)")
            }
            texts.append(text)
        }
        guard !texts.isEmpty else { throw mistake("at least one is needed") }
        return texts
    }

    func values() throws(SuiteMistake) -> [TableValue] {
        var values: [TableValue] = []
        for element in try elements() {
            guard let value = element.node.scalar, value != .null else {
                throw element.mistake("a value, not \(element.node.kind); missing values are for 'not_null'")
            }
            values.append(value)
        }
        guard !values.isEmpty else { throw mistake("at least one value is needed") }
        return values
    }

    /// `[0, 120]`, `{ at_least: 0, below: 120 }`, or one value for itself alone.
    func bounds(numbersOnly: Bool = true) throws(SuiteMistake) -> ValueBounds {
        let bounds = try anyBounds()
        guard bounds.lower != nil || bounds.upper != nil else { throw mistake("at least one bound is needed") }
        for bound in [bounds.lower, bounds.upper].compactMap(\.self) {
            if case .boolean = bound { throw mistake("a bound is a number or a text, not a truth value") }
            if numbersOnly, bound.double == nil { throw mistake("bounds are numbers here") }
            if bound.double?.isNaN == true { throw mistake("NaN bounds nothing") }
        }
        if let low = bounds.lower, let high = bounds.upper {
            guard (low.double == nil) == (high.double == nil) else { throw mistake("both bounds are of one kind") }
            if let low = low.double, let high = high.double, low > high {
                throw mistake("the lower bound \(low) is above the upper bound \(high)")
            }
        }
        return bounds
    }

    private func anyBounds() throws(SuiteMistake) -> ValueBounds {
        if let elements = node.elements {
            guard elements.count == 2, let low = elements[0].scalar, let high = elements[1].scalar else {
                throw mistake("two bounds, such as [0, 120] or [0, null]")
            }
            return ValueBounds(low == .null ? nil : low, high == .null ? nil : high)
        }
        guard node.members != nil else {
            guard let value = node.scalar, value != .null else { throw mistake("bounds such as [0, 120]") }
            return ValueBounds(value, value)
        }
        try only(["at_least", "above", "at_most", "below", "equals"])
        func bound(_ name: String) throws(SuiteMistake) -> TableValue? {
            guard let member = member(name) else { return nil }
            guard let value = member.node.scalar, value != .null else { throw member.mistake("a number or a text") }
            return value
        }
        let (least, above) = (try bound("at_least"), try bound("above"))
        let (most, below) = (try bound("at_most"), try bound("below"))
        if least != nil && above != nil || most != nil && below != nil { throw mistake("one bound on each side") }
        if let equals = try bound("equals") {
            guard least == nil, above == nil, most == nil, below == nil else {
                throw mistake("'equals' stands alone")
            }
            return ValueBounds(equals, equals)
        }
        return ValueBounds(least ?? above, most ?? below, isLowerStrict: above != nil, isUpperStrict: below != nil)
    }

    /// Seconds: a number, or a text such as `90s`, `15m`, `24h`, `7d`, `2w`.
    func duration() throws(SuiteMistake) -> Double {
        if let seconds = node.double {
            guard seconds > 0, seconds.isFinite else { throw mistake("more than no time") }
            return seconds
        }
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        guard let text = node.text, let unit = text.last.flatMap({ units[$0] }), let count = Double(text.dropLast()),
            count > 0, count.isFinite
        else { throw mistake("a time such as 24h or 7d") }
        return count * unit
    }
}
