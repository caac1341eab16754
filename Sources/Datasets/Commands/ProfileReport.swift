import ApusCommand
import ApusSketch
import ApusTable

/// Shows a profile to a person: a line for each column.
struct ProfileReport {
    private let profile: TableProfile
    /// Characters of a histogram.
    private static let bins = 12

    init(_ profile: TableProfile) { self.profile = profile }

    func write(to terminal: Terminal) throws {
        let rows = NumberText.count(profile.rowCount, "row")
        let columns = NumberText.count(profile.columns.count, "column")
        try StandardStream.output.write("\(rows), \(columns)\n\n")
        try StandardStream.output.write(table.text(width: terminal.width, isColored: terminal.isColored))
    }

    private var table: Table {
        Table(
            [
                ApusCommand.TableColumn("COLUMN", .left, .flexible), ApusCommand.TableColumn("TYPE"),
                ApusCommand.TableColumn("MISSING", .right), ApusCommand.TableColumn("DISTINCT", .right),
                ApusCommand.TableColumn("LEAST", .left, .flexible), ApusCommand.TableColumn("MEDIAN", .right, .wanted),
                ApusCommand.TableColumn("MEAN", .right, .wanted), ApusCommand.TableColumn("GREATEST", .left, .flexible),
                ApusCommand.TableColumn("SPREAD OR MOST FREQUENT", .left, .flexible),
            ],
            rows: profile.columns.map { column in
                [
                    TableCell(column.name), TableCell(column.type.rawValue), TableCell(Self.share(column)),
                    TableCell(Self.distinct(column)), TableCell(Self.text(column.minimum)),
                    TableCell(column.moments == nil ? "" : Self.number(column.quantiles?.quantile(0.5))),
                    TableCell(Self.number(column.moments.flatMap { $0.count > 0 ? $0.mean : nil })),
                    TableCell(Self.text(column.maximum)), TableCell(Self.shape(column)),
                ]
            }
        )
    }

    private static func share(_ column: ColumnProfile) -> String {
        guard column.missing > 0, column.count > 0 else { return "" }
        return NumberText.short(Double(column.missing) / Double(column.count) * 100) + " %"
    }

    private static func distinct(_ column: ColumnProfile) -> String {
        let estimate = column.distinct.estimate.rounded()
        // No more than there are values, whatever the estimate errs by.
        return Int(exactly: min(estimate, Double(column.count - column.missing))).map(String.init) ?? ""
    }

    private static func number(_ value: Double?) -> String { value.map(NumberText.short) ?? "" }

    private static func text(_ value: TableValue?) -> String {
        switch value {
        case nil, .null: ""
        case .boolean(let truth): truth ? "true" : "false"
        case .integer(let number): String(number)
        case .number(let number): NumberText.short(number)
        case .text(let text): text
        }
    }

    /// A histogram of numbers and times, else the most frequent values.
    private static func shape(_ column: ColumnProfile) -> String {
        if let histogram = column.quantiles?.histogram(bins: bins) {
            // Bars begin at nothing, and not at the least of them.
            return String(Sparkline.text([0] + histogram.counts.map(Double.init), width: bins + 1).dropFirst())
        }
        let top = column.frequent?.top(3) ?? []
        return top.map { "\($0.text) (\($0.upperBound))" }.joined(separator: ", ")
    }
}
