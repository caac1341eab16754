/// Rows in aligned columns under a line of titles.
package struct Table: Sendable, Equatable {
    package let columns: [TableColumn]
    package private(set) var rows: [[TableCell]] = []

    package init(_ columns: [TableColumn]) {
        self.columns = columns
    }

    package init(_ columns: [TableColumn], rows: [[TableCell]]) {
        self.columns = columns
        for row in rows { add(row) }
    }

    /// Adds a row; missing cells are empty, superfluous ones are left out.
    package mutating func add(_ cells: [TableCell]) {
        let missing = max(0, columns.count - cells.count)
        rows.append(Array(cells.prefix(columns.count)) + Array(repeating: "", count: missing))
    }

    /// The table as text with a line break after each line.
    ///
    /// - Parameters:
    ///   - width: Columns of the terminal; nil for as many as are needed, as when the output is piped.
    ///   - isColored: Whether titles and styles may use escape sequences.
    /// - Returns: The text.
    package func text(width: Int?, isColored: Bool) -> String {
        let layout = TableLayout(self, width: width)
        var text = line(columns.map { TableCell($0.title, style: .bold) }, layout, isColored)
        for row in rows { text += line(row, layout, isColored) }
        if !layout.hidden.isEmpty {
            let names = layout.hidden.map { columns[$0].title }.joined(separator: ", ")
            let note = "Not shown: \(names). A wider terminal, a pipe or --json shows them."
            for line in TextWrap.lines(note, width: width) {
                text += TextStyle.dim.applied(to: line, isColored: isColored) + "\n"
            }
        }
        return text
    }

    private func line(_ cells: [TableCell], _ layout: TableLayout, _ isColored: Bool) -> String {
        var line = ""
        for (place, index) in layout.shown.enumerated() {
            let cell = cells[index]
            let text = PrintableText.cut(cell.text, to: layout.widths[index])
            let blanks = String(repeating: " ", count: max(0, layout.widths[index] - DisplayWidth.of(text)))
            let styled = cell.style.applied(to: text, isColored: isColored)
            if place > 0 { line += TableLayout.gap }
            switch columns[index].alignment {
            case .right: line += blanks + styled
            // Nothing trails the last column, so that lines do not wrap.
            case .left: line += place == layout.shown.count - 1 ? styled : styled + blanks
            }
        }
        return line + "\n"
    }
}
