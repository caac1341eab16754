/// Labelled facts about one thing, a line each: what `show` prints.
package struct FactSheet: Sendable {
    private var facts: [(label: String, value: TableCell)] = []

    package init() {}

    /// Adds a fact; an empty value is left out, as it says nothing.
    package mutating func add(_ label: String, _ value: TableCell) {
        if !value.text.isEmpty { facts.append((label, value)) }
    }

    /// Adds a fact when there is one.
    package mutating func add(_ label: String, _ value: String?) {
        if let value { add(label, TableCell(value)) }
    }

    /// The facts as text with a line break after each line; long values are wrapped under their beginning.
    package func text(width: Int?, isColored: Bool) -> String {
        let widest = facts.reduce(0) { max($0, DisplayWidth.of($1.label)) }
        let margin = String(repeating: " ", count: widest + 2)
        var text = ""
        for (label, value) in facts {
            let blanks = String(repeating: " ", count: widest + 2 - DisplayWidth.of(label))
            let lines = TextWrap.lines(value.text, width: width.map { max(20, $0 - widest - 2) })
            text += TextStyle.dim.applied(to: label, isColored: isColored) + blanks
            text += lines.map { value.style.applied(to: $0, isColored: isColored) }.joined(separator: "\n" + margin)
            text += "\n"
        }
        return text
    }
}
