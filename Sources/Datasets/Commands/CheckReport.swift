import ApusCommand
import ApusTable

/// Shows what came of a suite to a person.
struct CheckReport {
    private let result: SuiteResult
    /// Rows that are shown of a check that failed.
    private static let shownRows = 5

    init(_ result: SuiteResult) { self.result = result }

    func write(to terminal: Terminal) throws {
        try StandardStream.output.write(table.text(width: terminal.width, isColored: terminal.isColored))
        for result in result.results where !result.isPassed && !result.failingRows.isEmpty {
            let title = TextStyle.bold.applied(to: PrintableText.line(result.check.id), isColored: terminal.isColored)
            try StandardStream.output.write("\n\(title)\n")
            try StandardStream.output.write(
                Self.rows(result).text(width: terminal.width, isColored: terminal.isColored)
            )
        }
        try StandardStream.output.write("\n\(summary)\n")
    }

    /// How many checks pass, and how many of those that do not hold up a gate.
    private var summary: String {
        let blocking = result.results.count { $0.blocks }
        let passed = "\(result.count(.passed)) of \(NumberText.count(result.results.count, "check")) pass"
        return blocking == 0
            ? "\(passed)." : "\(passed); \(blocking) of severity fail \(blocking == 1 ? "does" : "do") not."
    }

    private var table: Table {
        Table(
            [
                ApusCommand.TableColumn("CHECK", .left, .flexible), ApusCommand.TableColumn("RESULT"),
                ApusCommand.TableColumn("SEVERITY", .left, .spare),
                ApusCommand.TableColumn("BY", .left, .spare), ApusCommand.TableColumn("WHAT", .left, .flexible),
            ],
            rows: result.results.map { result in
                [
                    TableCell(result.check.id), Self.outcome(result), TableCell(result.check.severity.rawValue),
                    TableCell(result.answeredBy.rawValue), TableCell(Self.words(result)),
                ]
            }
        )
    }

    private static func outcome(_ result: CheckResult) -> TableCell {
        let style: TextStyle = result.isPassed ? .green : result.blocks ? .red : .yellow
        return TableCell(result.outcome.rawValue, style: style)
    }

    private static func words(_ result: CheckResult) -> String {
        if let message = result.message { return message }
        guard case .scalar(let value)? = result.observed, value != .null else { return "" }
        return value.shown + (result.bound.map { " (\($0))" } ?? "")
    }

    private static func rows(_ result: CheckResult) -> Table {
        let first = result.failingRows[0]
        let names = (first.keys + first.values).map(\.name)
        let hasNumbers = first.row != nil
        let titles =
            (hasNumbers ? [ApusCommand.TableColumn("ROW", .right)] : [])
            + names.map { ApusCommand.TableColumn($0, .left, .flexible) }
        return Table(
            titles,
            rows: result.failingRows.prefix(shownRows).map { row in
                let cells = (row.keys + row.values).map { TableCell($0.value.shown) }
                return (hasNumbers ? [TableCell(row.row.map { "\($0)" } ?? "")] : []) + cells
            }
        )
    }
}
