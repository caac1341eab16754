import ApusConsole

/// Two short texts, with what differs in them line by line.
struct TextComparison {
    /// Longer texts are not compared.
    static let maximumBytes: Int64 = 256 << 10
    private static let maximumLines = 20_000
    private static let maximumChanges = 1000
    /// How many equal lines stand around a change.
    private static let context = 3
    private static let lineLimit = 2000

    private let old: [Substring]
    private let new: [Substring]
    private let steps: [LineDiff.Step]

    /// Nil when the texts have too many lines, or differ in too many.
    init?(from old: String, to new: String) {
        self.old = Self.lines(old)
        self.new = Self.lines(new)
        guard max(self.old.count, self.new.count) <= Self.maximumLines,
            let steps = LineDiff.steps(from: self.old, to: self.new, maximumChanges: Self.maximumChanges)
        else { return nil }
        self.steps = steps
    }

    /// A text ends with an end of line, which is no line of its own.
    private static func lines(_ text: String) -> [Substring] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    var html: HTML {
        let parts = shown()
        let table = Component.table(
            "Lines that differ",
            columns: [.init("Before", isNumber: true), .init("After", isNumber: true), .init("Line")],
            .class("line-diff")
        ) {
            for part in parts { row(part) }
        }
        guard parts.count >= Self.lineLimit else { return table }
        return table + Element.p(.class("muted")) { "Only the first \(Self.lineLimit) lines are shown." }
    }

    private enum Part {
        case step(LineDiff.Step)
        /// Equal lines that are left out.
        case gap(Int)
    }

    /// The changes with their surroundings.
    private func shown() -> [Part] {
        var isNear = [Bool](repeating: false, count: steps.count)
        for (place, step) in steps.enumerated() {
            if case .same = step { continue }
            for near in max(0, place - Self.context)...min(steps.count - 1, place + Self.context) {
                isNear[near] = true
            }
        }
        var parts: [Part] = []
        var left = 0
        for (place, step) in steps.enumerated() {
            guard isNear[place] else {
                left += 1
                continue
            }
            if left > 0 { parts.append(.gap(left)) }
            left = 0
            parts.append(.step(step))
            guard parts.count < Self.lineLimit else { return parts }
        }
        if left > 0 { parts.append(.gap(left)) }
        return parts
    }

    private func row(_ part: Part) -> HTML {
        switch part {
        case .gap(let count):
            Element.tr(.class("line-gap")) {
                Element.td(.class("number")) { "⋯" }
                Element.td(.class("number")) { "⋯" }
                Element.td() { "\(DatasetViews.count(Int64(count), "equal line"))" }
            }
        case .step(.same(let x, let y)): line(x, y, "", "", old[x])
        case .step(.removed(let x)): line(x, nil, "removed", "−", old[x])
        case .step(.added(let y)): line(nil, y, "added", "+", new[y])
        }
    }

    private func line(_ x: Int?, _ y: Int?, _ kind: String, _ sign: String, _ text: Substring) -> HTML {
        Element.tr(kind.isEmpty ? nil : .class("line-\(kind)")) {
            Element.td(.class("number")) { x.map { "\($0 + 1)" } ?? "" }
            Element.td(.class("number")) { y.map { "\($0 + 1)" } ?? "" }
            Element.td() {
                if !kind.isEmpty { Element.span(.class("sr-only")) { "\(kind): " } }
                Element.code() {
                    Element.span(.class("line-sign"), .hidden) { sign }
                    String(text)
                }
            }
        }
    }
}
