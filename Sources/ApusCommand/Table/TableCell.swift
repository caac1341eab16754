/// One cell of a ``Table``.
package struct TableCell: Sendable, Equatable, ExpressibleByStringInterpolation {
    /// The text, safe to show and on one line.
    package let text: String
    /// How it is shown where colour is allowed.
    package let style: TextStyle

    package init(_ text: String, style: TextStyle = .plain) {
        self.text = PrintableText.line(text)
        self.style = style
    }

    package init(stringLiteral value: String) {
        self.init(value)
    }

    /// The status of a run or of a model version, in the colour of its kind.
    package static func status(_ name: String) -> TableCell {
        switch name {
        case "FINISHED", "READY": TableCell(name, style: .green)
        case "FAILED", "KILLED", "FAILED_REGISTRATION": TableCell(name, style: .red)
        case "RUNNING", "SCHEDULED", "PENDING_REGISTRATION": TableCell(name, style: .yellow)
        default: TableCell(name)
        }
    }
}
