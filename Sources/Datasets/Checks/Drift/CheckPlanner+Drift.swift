import ApusTable

/// Spreads are compared as Evidently does: numbers with more than 20 different values in the reference in bins, others
/// value by value; missing values are left out.
extension CheckPlanner {
    /// The most different values that are told apart one by one.
    static let manyValues = 20

    func driftStep(_ column: ColumnSQL, _ test: DriftTest) throws(CheckFault) -> CheckStep {
        let facts = try reference(test.reference)
        let other = try facts.column(column.column.name, of: test.reference)
        guard let relation = facts.relation else {
            return .undecided("the profiles do not tell, and the rows of '\(test.reference)' cannot be read from here")
        }
        let areNumbers = column.isNumber && other.isNumber
        if test.method == .ks { return try kolmogorovSmirnov(column, other, relation, test) }
        guard areNumbers else { return valuesDrift(column, other, relation, test) }
        let (own, theirs) = (finite(try column.number()), finite(try other.number()))
        func summary(_ side: Int, _ number: String, _ from: String) -> String {
            "SELECT \(side) AS __side, count(\(number)), min(\(number)), max(\(number)), count(DISTINCT \(number)) FROM \(from)"
        }
        let areIntegers = column.column.type == .integer && other.column.type == .integer
        return .query("\(summary(0, theirs, relation)) UNION ALL \(summary(1, own, "data")) ORDER BY 1") { rows in
            guard rows.rows.count == 2 else { throw CheckFault("the table answered less than was asked") }
            let sides = try rows.rows.map { row in
                (
                    count: try Self.count(row, 1), low: try Self.number(row, 2), high: try Self.number(row, 3),
                    different: try Self.count(row, 4)
                )
            }
            guard let low = sides.compactMap(\.low).min(), let high = sides.compactMap(\.high).max(),
                sides.allSatisfy({ $0.count > 0 })
            else { throw CheckFault("one of the tables has no values to compare") }
            guard sides[0].different > Self.manyValues else { return self.valuesDrift(column, other, relation, test) }
            let bins = SpreadBins(over: low...high, total: sides[0].count + sides[1].count, areIntegers: areIntegers)
            let sql = Self.counts(bins.bin(theirs), theirs, relation, bins.bin(own), own)
            return .query(sql) { rows in
                var (reference, current) = (
                    [Int](repeating: 0, count: bins.count), [Int](repeating: 0, count: bins.count)
                )
                for row in rows.rows {
                    let bin = try Self.count(row, 0)
                    guard reference.indices.contains(bin) else { continue }
                    reference[bin] = try Self.count(row, 1)
                    current[bin] = try Self.count(row, 2)
                }
                return try .done(.drift(test, reference, current))
            }
        }
    }

    private func finite(_ number: String) -> String { "CASE WHEN isfinite(\(number)) THEN \(number) END" }

    /// How often each value of two expressions comes: the value, in the reference, in the table.
    private static func counts(
        _ theirs: String,
        _ theirValue: String,
        _ relation: String,
        _ own: String,
        _ ownValue: String
    ) -> String {
        "SELECT __bin, sum(__reference) AS __left, sum(__current) AS __right FROM ("
            + "SELECT \(theirs) AS __bin, count(*) AS __reference, 0 AS __current FROM \(relation) "
            + "WHERE (\(theirValue)) IS NOT NULL GROUP BY 1 UNION ALL "
            + "SELECT \(own), 0, count(*) FROM data WHERE (\(ownValue)) IS NOT NULL GROUP BY 1) GROUP BY 1 ORDER BY 1"
    }

    private func valuesDrift(
        _ column: ColumnSQL,
        _ other: ColumnSQL,
        _ relation: String,
        _ test: DriftTest
    ) -> CheckStep {
        // Numbers of different types are equal as doubles, all else as text.
        let areNumbers = column.isNumber && other.isNumber
        let own = areNumbers ? "CAST(\(column.value) AS DOUBLE)" : column.text
        let theirs = areNumbers ? "CAST(\(other.value) AS DOUBLE)" : other.text
        return .query("\(Self.counts(theirs, theirs, relation, own, own)) LIMIT 100000") { rows in
            let reference = try rows.rows.map { try Self.count($0, 1) }
            return try .done(.drift(test, reference, try rows.rows.map { try Self.count($0, 2) }))
        }
    }

    private func kolmogorovSmirnov(
        _ column: ColumnSQL,
        _ other: ColumnSQL,
        _ relation: String,
        _ test: DriftTest
    ) throws(CheckFault) -> CheckStep {
        let (own, theirs) = (try column.number(), try other.number())
        let sql =
            "WITH counted AS (\(Self.counts(theirs, theirs, relation, own, own))), "
            + "steps AS (SELECT *, sum(__left) OVER (ORDER BY __bin) / sum(__left) OVER () AS __f, "
            + "sum(__right) OVER (ORDER BY __bin) / sum(__right) OVER () AS __g FROM counted) "
            + "SELECT CAST(max(abs(__f - __g)) AS DOUBLE) FROM steps"
        return .query(sql) { rows in
            guard let distance = try Self.number(rows.rows.first ?? [], 0) else {
                throw CheckFault("one of the tables has no values to compare")
            }
            return .done(.drift(test, distance))
        }
    }
}

extension CheckFinding {
    /// A distance that must be below the threshold.
    static func drift(_ test: DriftTest, _ distance: Double) -> CheckFinding {
        CheckFinding(success: distance < test.threshold, observed: .number(distance))
    }

    /// The distance between two spreads, given as counts of the same values.
    static func drift(_ test: DriftTest, _ reference: [Int], _ current: [Int]) throws -> CheckFinding {
        let (left, right) = (reference.reduce(0, +), current.reduce(0, +))
        guard left > 0, right > 0 else { throw CheckFault("one of the tables has no values to compare") }
        let distance = SpreadDistance.of(
            test.method,
            reference: reference.map { Double($0) / Double(left) },
            current: current.map { Double($0) / Double(right) }
        )
        var finding = CheckFinding.drift(test, distance)
        finding.details = [.init("bins", .integer(reference.count))]
        return finding
    }
}
