import ApusTable

extension CheckPlanner {
    /// How the set of a column's values is judged.
    func distinctStep(_ column: ColumnSQL, _ relation: SetRelation, _ values: [TableValue]) -> CheckStep {
        let wanted = Self.different(values)
        let possible = wanted.filter { column.literal($0) != nil }
        let isIn = column.isIn(possible)
        let counts = [
            "count(DISTINCT \(column.value))",
            "count(DISTINCT \(column.value)) FILTER (WHERE \(column.isPresent) AND \(isIn))",
        ]
        return .measure(counts) { counted in
            let (different, found) = try (Self.count(counted, 0), Self.count(counted, 1))
            let hasExtra = relation != .contains && found < different
            let lacks = relation != .within && found < wanted.count
            let count = [
                SuiteValue.Member("distinct_count", .integer(different)),
                .init("missing_count", .integer(relation == .within ? 0 : wanted.count - found)),
                .init("unexpected_count", .integer(relation == .contains ? 0 : different - found)),
            ]
            guard hasExtra || lacks else {
                return .done(CheckFinding(success: true, observed: .values(wanted), details: count))
            }
            return self.listed(column, isIn, wanted, hasExtra: hasExtra, lacks: lacks, count)
        }
    }

    /// Numbers that are equal count once, whatever their form.
    private static func different(_ values: [TableValue]) -> [TableValue] {
        var seen = Set<TableValue>()
        return values.filter { value in
            seen.insert(value.double.map { .number($0) } ?? value).inserted
        }
    }

    /// Asks for the values that are too many or too few.
    private func listed(
        _ column: ColumnSQL,
        _ isIn: String,
        _ wanted: [TableValue],
        hasExtra: Bool,
        lacks: Bool,
        _ details: [SuiteValue.Member]
    ) -> CheckStep {
        let unexpected = "\(column.isPresent) AND NOT coalesce(\(isIn), FALSE)"
        let failing = hasExtra ? FailingRows(predicate: unexpected, columns: [column.column.name]) : nil
        let list = "SELECT DISTINCT \(column.shown) AS __value FROM data WHERE \(column.isPresent) ORDER BY 1 LIMIT 100"
        return .query(list) { rows in
            let observed = SuiteValue.values(rows.rows.compactMap(\.first))
            guard lacks else {
                return .done(CheckFinding(success: false, observed: observed, details: details, failing: failing))
            }
            let literals = wanted.enumerated().compactMap { place, value in
                column.literal(value).map { "(\(place), \($0))" }
            }
            let never = wanted.filter { column.literal($0) == nil }
            @Sendable func finding(_ missing: [TableValue]) -> CheckStep {
                .done(
                    CheckFinding(
                        success: false,
                        observed: observed,
                        details: details + [.init("missing", .values(missing))],
                        failing: failing,
                        message: "missing: \(missing.prefix(20).map(\.shown).joined(separator: ", "))"
                    )
                )
            }
            guard !literals.isEmpty else { return finding(never) }
            let sql =
                "SELECT __place FROM (VALUES \(literals.joined(separator: ", "))) AS wanted(__place, __value) "
                + "WHERE NOT EXISTS (SELECT 1 FROM data WHERE \(column.name) = __value) ORDER BY 1 LIMIT 100"
            return .query(sql) { rows in
                finding(try rows.rows.map { wanted[min(max(0, try Self.count($0, 0)), wanted.count - 1)] } + never)
            }
        }
    }
}
