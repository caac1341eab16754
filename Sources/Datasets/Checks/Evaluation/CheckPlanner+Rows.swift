import ApusTable

extension CheckPlanner {
    /// How rows are judged by several of their columns.
    func rowStep(
        _ columns: [ColumnSQL],
        _ test: RowTest,
        _ rule: MissingRule,
        mostly: Double
    ) throws(CheckFault) -> CheckStep {
        let names = columns.map(\.column.name)
        let considered: String
        switch rule {
        case .all: considered = "NOT (\(columns.map(\.isMissing).joined(separator: " AND ")))"
        case .any: considered = "(\(columns.map(\.isPresent).joined(separator: " AND ")))"
        case .none: considered = "TRUE"
        }
        if test == .unique { return compoundStep(columns, considered, mostly) }
        let expected = try condition(columns, test)
        return counting(
            considered: considered,
            unexpected: "\(considered) AND NOT coalesce(\(expected), FALSE)",
            mostly: mostly,
            columns: names
        )
    }

    private func condition(_ columns: [ColumnSQL], _ test: RowTest) throws(CheckFault) -> String {
        switch test {
        case .unique: return "TRUE"
        case .greater(let orEqual):
            try alike(columns)
            return "(\(columns[0].value)) \(orEqual ? ">=" : ">") (\(columns[1].value))"
        case .equal:
            guard columns.count > 2 else {
                // As pandas and SQL have it: what is missing equals nothing.
                return isAlike(columns) ? "(\(columns[0].value)) = (\(columns[1].value))" : "FALSE"
            }
            guard isAlike(columns) else { return "FALSE" }
            let first = columns[0].value
            return columns.dropFirst().map { "(\(first)) IS NOT DISTINCT FROM (\($0.value))" }.joined(
                separator: " AND "
            )
        case .different:
            var parts: [String] = []
            for (place, left) in columns.enumerated() {
                for right in columns[(place + 1)...] {
                    // A number and a text are never the same.
                    guard isAlike([left, right]) else {
                        parts.append("NOT (\(left.isMissing) AND \(right.isMissing))")
                        continue
                    }
                    parts.append("(\(left.value)) IS DISTINCT FROM (\(right.value))")
                }
            }
            return parts.joined(separator: " AND ")
        case .inPairs(let pairs):
            let parts = pairs.compactMap { pair -> String? in
                let sides = zip(columns, pair).map { column, value -> String? in
                    value == .null ? column.isMissing : column.literal(value).map { "\(column.name) = \($0)" }
                }
                return sides.contains(nil)
                    ? nil : "coalesce(\(sides.compactMap(\.self).joined(separator: " AND ")), FALSE)"
            }
            return parts.isEmpty ? "FALSE" : "(\(parts.joined(separator: " OR ")))"
        case .sum(let total):
            var parts: [String] = []
            for column in columns {
                // Integers are summed up exactly.
                parts.append(column.column.type == .integer ? "CAST(\(column.name) AS HUGEINT)" : try column.number())
            }
            return "\(parts.map { "(\($0))" }.joined(separator: " + ")) = \(SQLText.value(.number(total)))"
        }
    }

    private func isAlike(_ columns: [ColumnSQL]) -> Bool {
        let kinds = Set(
            columns.map { column -> ColumnType in
                switch column.column.type {
                case .integer, .number, .boolean: .number
                case .date, .timestamp: .timestamp
                default: column.column.type
                }
            }
        )
        return kinds.count == 1
    }

    private func alike(_ columns: [ColumnSQL]) throws(CheckFault) {
        guard !isAlike(columns) else { return }
        let kinds = columns.map { "'\($0.column.name)' holds \($0.described)" }.joined(separator: " and ")
        throw CheckFault("\(kinds), which cannot be compared")
    }

    /// Rows that have the same values as another; what is missing equals what is missing.
    private func compoundStep(_ columns: [ColumnSQL], _ considered: String, _ mostly: Double) -> CheckStep {
        let names = columns.map(\.column.name)
        let list = columns.map(\.name).joined(separator: ", ")
        let sql =
            "SELECT (SELECT count(*) FROM data), coalesce(sum(__count), 0), "
            + "coalesce(sum(__count) FILTER (WHERE __count > 1), 0) "
            + "FROM (SELECT count(*) AS __count FROM data WHERE \(considered) GROUP BY \(list))"
        let rows = relation(names, adding: "count(*) OVER (PARTITION BY \(list)) AS __count", where: considered)
        return judged(sql, mostly, FailingRows(from: rows, predicate: "__count > 1", columns: names))
    }
}
