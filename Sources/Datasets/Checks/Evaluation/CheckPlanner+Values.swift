import ApusTable

extension CheckPlanner {
    /// How the values of a column are judged.
    func valueStep(_ column: ColumnSQL, _ test: ValueTest, mostly: Double) throws(CheckFault) -> CheckStep {
        switch test {
        case .notNull: return counting(nil, column.isMissing, column, mostly)
        case .null: return counting(nil, column.isPresent, column, mostly)
        case .unique: return uniqueStep(column, mostly)
        case .increasing(let strictly): return orderStep(column, strictly ? ">" : ">=", mostly)
        case .decreasing(let strictly): return orderStep(column, strictly ? "<" : "<=", mostly)
        case .zScore(let limit, let bothSides): return try zScoreStep(column, limit, bothSides, mostly)
        case .refersTo(let table, let key): return try referenceStep(column, table, key, mostly)
        default: break
        }
        let expected = try condition(column, test)
        return counting(column.isPresent, "\(column.isPresent) AND NOT coalesce(\(expected), FALSE)", column, mostly)
    }

    private func counting(
        _ considered: String?,
        _ unexpected: String,
        _ column: ColumnSQL,
        _ mostly: Double
    ) -> CheckStep {
        counting(considered: considered, unexpected: unexpected, mostly: mostly, columns: [column.column.name])
    }

    /// What holds for a present value that is as expected.
    private func condition(_ column: ColumnSQL, _ test: ValueTest) throws(CheckFault) -> String {
        func any(_ parts: [String], _ word: String) -> String { "(\(parts.joined(separator: word)))" }
        func word(_ quantifier: ValueTest.Quantifier) -> String { quantifier == .any ? " OR " : " AND " }
        switch test {
        case .between(let bounds):
            let value = column.column.type == .boolean ? "CAST(\(column.name) AS INTEGER)" : column.name
            return try column.isBetween(bounds, value)
        case .inSet(let values): return column.isIn(values)
        case .notInSet(let values): return "NOT (\(column.isIn(values)))"
        case .matches(let patterns, let quantifier): return any(try found(column, patterns), word(quantifier))
        case .notMatches(let patterns): return "NOT \(any(try found(column, patterns), " OR "))"
        case .like(let patterns, let quantifier): return any(liked(column, patterns), word(quantifier))
        case .notLike(let patterns): return "NOT \(any(liked(column, patterns), " OR "))"
        case .length(let bounds):
            let text = ColumnSQL(TableColumn(name: "", type: .integer, sqlType: "BIGINT"))
            return try text.isBetween(bounds, "length(\(column.text))")
        case .dateFormat(let format):
            // DuckDB forgives blanks at the ends, Python does not.
            return "(try_strptime(\(column.text), \(SQLText.string(format))) IS NOT NULL "
                + "AND \(column.text) = trim(\(column.text)))"
        case .date: return column.column.type == .text ? DateFormats.isDate(column.name) : try date(column)
        case .json: return column.column.type == .other ? "TRUE" : "json_valid(\(column.text))"
        case .notNull, .null, .unique, .increasing, .decreasing, .zScore, .refersTo: return "TRUE"
        }
    }

    private func date(_ column: ColumnSQL) throws(CheckFault) -> String {
        guard column.column.type == .date || column.column.type == .timestamp else {
            throw CheckFault("column '\(column.column.name)' holds \(column.described), and texts or dates are needed")
        }
        return "TRUE"
    }

    private func found(_ column: ColumnSQL, _ patterns: [String]) throws(CheckFault) -> [String] {
        for pattern in patterns {
            if let reason = PatternDialect.missing(pattern).first {
                throw CheckFault("the pattern '\(pattern)' cannot be searched for: \(reason)")
            }
        }
        return patterns.map { "regexp_matches(\(column.text), \(SQLText.string($0)))" }
    }

    private func liked(_ column: ColumnSQL, _ patterns: [String]) -> [String] {
        patterns.map { "\(column.text) LIKE \(SQLText.string($0))" }
    }

    /// Values that no other row has: counted one by one only if there are fewer different values than values.
    private func uniqueStep(_ column: ColumnSQL, _ mostly: Double) -> CheckStep {
        let name = column.column.name
        let failing = FailingRows(
            from: relation(
                [name],
                adding: "count(*) OVER (PARTITION BY \(column.name)) AS __count",
                where: column.isPresent
            ),
            predicate: "__count > 1",
            columns: [name]
        )
        let repeated =
            "SELECT coalesce(sum(__count), 0) FROM (SELECT count(*) AS __count FROM data "
            + "WHERE \(column.isPresent) GROUP BY \(column.name) HAVING count(*) > 1)"
        let values = ["count(*)", "count(\(column.value))", "count(DISTINCT \(column.value))"]
        return .measure(values) { values in
            let (elements, present, different) = try (
                Self.count(values, 0), Self.count(values, 1), Self.count(values, 2)
            )
            @Sendable func finding(_ unexpected: Int) -> CheckStep {
                let counts = RowCounts(elements: elements, considered: present, unexpected: unexpected)
                return .done(CheckFinding(success: counts.succeeds(mostly: mostly), counts: counts, failing: failing))
            }
            if present == different { return finding(0) }
            return .query(repeated) { finding(try Self.count($0.rows.first ?? [], 0)) }
        }
    }

    /// Compares each value with the one before it that is not missing.
    private func orderStep(_ column: ColumnSQL, _ sign: String, _ mostly: Double) -> CheckStep {
        let name = column.column.name
        let rows = relation(
            [name],
            adding: "lag(\(column.name)) OVER (ORDER BY __row) AS __before",
            where: column.isPresent
        )
        let unexpected = "__before IS NOT NULL AND NOT (\(column.name) \(sign) __before)"
        let sql = "SELECT (SELECT count(*) FROM data), count(*), count(*) FILTER (WHERE \(unexpected)) FROM \(rows)"
        return judged(sql, mostly, FailingRows(from: rows, predicate: unexpected, columns: [name]))
    }

    /// A query for the numbers of rows, of rows looked at and of those that fail.
    func judged(_ sql: String, _ mostly: Double, _ failing: FailingRows) -> CheckStep {
        .query(sql) { rows in
            let values = rows.rows.first ?? []
            let counts = try RowCounts(
                elements: Self.count(values, 0),
                considered: Self.count(values, 1),
                unexpected: Self.count(values, 2)
            )
            return .done(CheckFinding(success: counts.succeeds(mostly: mostly), counts: counts, failing: failing))
        }
    }

    private func zScoreStep(
        _ column: ColumnSQL,
        _ limit: Double,
        _ bothSides: Bool,
        _ mostly: Double
    ) throws(CheckFault) -> CheckStep {
        let number = try column.number()
        let finite = "FILTER (WHERE isfinite(\(number)))"
        let infinite = "count(*) FILTER (WHERE isinf(\(number)))"
        return .measure(["avg(\(number))", "stddev_samp(\(number)) \(finite)", infinite]) { values in
            let (mean, deviation) = try (Self.number(values, 0), Self.number(values, 1))
            // Without a spread no value is far from the others.
            guard let mean, let deviation, deviation > 0, mean.isFinite, try Self.count(values, 2) == 0 else {
                return self.counting(column.isPresent, "FALSE", column, mostly)
            }
            let score = "(\(number) - \(SQLText.value(.number(mean)))) / \(SQLText.value(.number(deviation)))"
            let expected =
                bothSides
                ? "abs(\(score)) < \(SQLText.value(.number(abs(limit))))"
                : "\(score) < \(SQLText.value(.number(limit)))"
            return self.counting(column.isPresent, "\(column.isPresent) AND NOT (\(expected))", column, mostly)
        }
    }

    private func referenceStep(
        _ column: ColumnSQL,
        _ table: String,
        _ key: String,
        _ mostly: Double
    ) throws(CheckFault) -> CheckStep {
        let facts = try reference(table)
        guard let relation = facts.relation else { throw CheckFault("the rows of '\(table)' cannot be read from here") }
        let other = try facts.column(key, of: table)
        // Numbers are compared as numbers; a text and a number as texts.
        let isAlike = other.column.type == column.column.type || other.isNumber && column.isNumber
        let (left, right) = isAlike ? (column.name, other.name) : (column.text, other.text)
        let rows = self.relation(
            [column.column.name],
            adding: "\(left) IN (SELECT \(right) FROM \(relation) WHERE \(other.isPresent)) AS __found",
            where: column.isPresent
        )
        let unexpected = "__found IS NOT TRUE"
        let sql = "SELECT (SELECT count(*) FROM data), count(*), count(*) FILTER (WHERE \(unexpected)) FROM \(rows)"
        return judged(sql, mostly, FailingRows(from: rows, predicate: unexpected, columns: [column.column.name]))
    }
}
