package import ApusCommand

/// Several runs side by side: a column for each run, a line for each fact.
package struct RunComparison {
    private let runs: [JSON]

    package init(_ runs: [JSON]) {
        self.runs = runs
    }

    /// - Parameter onlyDifferent: Leaves out the lines in which all runs agree.
    /// - Returns: The table.
    package func table(onlyDifferent: Bool) -> Table {
        let columns = runs.map { run in
            let name = run["info"]["run_name"].text
            return TableColumn(name.isEmpty ? run["info"]["run_id"].text : name, .right, .flexible)
        }
        var table = Table([TableColumn(""), TableColumn("")] + columns)
        for (label, value) in facts {
            // Identifiers and times always differ, so that a mark says nothing.
            if !onlyDifferent { table.add(["", TableCell(label, style: .dim)] + runs.map(value)) }
        }
        for entity in [RunColumn.Entity.params, .metrics] {
            for column in keys(entity) {
                let cells = runs.map(column.cell)
                let differs = Set(exactValues(column)).count > 1
                if onlyDifferent && !differs { continue }
                let mark = TableCell(differs ? "*" : "", style: .yellow)
                table.add(
                    [mark, TableCell(column.title)] + cells.map { $0.text.isEmpty ? TableCell(TimeText.none) : $0 }
                )
            }
        }
        return table
    }

    private var facts: [(String, (JSON) -> TableCell)] {
        [
            ("run id", { TableCell($0["info"]["run_id"].text) }),
            ("experiment", { TableCell($0["info"]["experiment_id"].text) }),
            ("status", { .status($0["info"]["status"].text) }),
            ("started", { TableCell(TimeText.local($0["info"]["start_time"].integer)) }),
            (
                "took",
                {
                    TableCell(
                        TimeText.duration(from: $0["info"]["start_time"].integer, to: $0["info"]["end_time"].integer)
                    )
                }
            ),
        ]
    }

    /// The keys that any of the runs has, sorted.
    private func keys(_ entity: RunColumn.Entity) -> [RunColumn] {
        let all = runs.flatMap { $0["data"][entity.rawValue].elements.map { $0["key"].text } }
        return Set(all).sorted().map { RunColumn(entity, $0) }
    }

    /// The values as they were logged, as rounded ones may hide a difference.
    private func exactValues(_ column: RunColumn) -> [String] {
        runs.map { run in
            let entry = run["data"][column.entity.rawValue].elements.last { $0["key"].text == column.key }
            return entry?["value"].compactText ?? ""
        }
    }
}
