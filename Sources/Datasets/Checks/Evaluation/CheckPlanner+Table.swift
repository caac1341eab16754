import ApusKernel
import ApusTable

extension CheckPlanner {
    /// Judges what the columns' names and types tell; nil for checks that need more.
    func schemaStep(_ expectation: Expectation) throws(CheckFault) -> CheckStep? {
        let names = columns.map(\.name)
        switch expectation {
        case .exists(let name, let position):
            let place = columns.firstIndex { ExactText($0.name) == ExactText(name) }
            let success = place != nil && (position == nil || position == place)
            let near = place == nil ? NearestWord.of(name, in: names) : nil
            return done(
                success,
                place.map { .integer($0) } ?? .null,
                place == nil
                    ? "there is no column '\(name)'" + (near.map { "; did you mean '\($0)'?" } ?? "")
                    : "column '\(name)' is at position \(place ?? 0)"
            )
        case .type(let name, let types):
            let column = try column(name)
            return done(
                types.contains { TypeNames.matches(column.column, $0) },
                .text(column.column.sqlType),
                "column '\(name)' holds \(column.described)"
            )
        case .table(.columnCount(let bounds)):
            return done(bounds.contains(Double(columns.count)) == true, .integer(columns.count))
        case .table(.columnList(let wanted)):
            let isEqual = wanted.map(ExactText.init) == names.map(ExactText.init)
            return done(isEqual, .texts(names), Self.difference(wanted, names) ?? "the columns are in another order")
        case .table(.columnSet(let wanted, let exact)):
            let missing = Self.without(wanted, names)
            let extra = Self.without(names, wanted)
            let success = missing.isEmpty && (extra.isEmpty || !exact)
            return done(success, .texts(names), Self.difference(wanted, names))
        case .table(.sameSchema(let table)):
            let other = try reference(table).columns
            let differences = Self.differences(other, columns)
            return done(differences.isEmpty, .list(differences.map { .text($0) }), differences.first)
        default: return nil
        }
    }

    private func done(_ success: Bool, _ observed: SuiteValue, _ message: String? = nil) -> CheckStep {
        .done(
            CheckFinding(success: success, observed: observed, answeredBy: .schema, message: success ? nil : message)
        )
    }

    private static func without(_ names: [String], _ others: [String]) -> [String] {
        let others = Set(others.map(ExactText.init))
        return names.filter { !others.contains(ExactText($0)) }
    }

    private static func difference(_ wanted: [String], _ names: [String]) -> String? {
        let missing = without(wanted, names).map { "'\($0)'" }
        let extra = without(names, wanted).map { "'\($0)'" }
        let parts = [
            missing.isEmpty ? nil : "missing: \(missing.joined(separator: ", "))",
            extra.isEmpty ? nil : "not expected: \(extra.joined(separator: ", "))",
        ]
        let text = parts.compactMap(\.self).joined(separator: "; ")
        return text.isEmpty ? nil : text
    }

    /// What is not the same in two lists of columns, as sentences.
    private static func differences(_ before: [TableColumn], _ now: [TableColumn]) -> [String] {
        var found: [String] = []
        let gone = without(before.map(\.name), now.map(\.name))
        found += gone.map { "column '\($0)' is missing" }
        found += without(now.map(\.name), before.map(\.name)).map { "column '\($0)' is new" }
        for column in now {
            guard let old = before.first(where: { ExactText($0.name) == ExactText(column.name) }) else { continue }
            if old.sqlType != column.sqlType {
                found.append("column '\(column.name)' was \(old.sqlType) and is \(column.sqlType)")
            }
        }
        if found.isEmpty, before.map({ ExactText($0.name) }) != now.map({ ExactText($0.name) }) {
            found.append("the columns are in another order")
        }
        return found
    }

    /// How a table as a whole is judged by its rows.
    func tableStep(_ test: TableTest) throws(CheckFault) -> CheckStep {
        switch test {
        case .rowCount(let bounds):
            return .measure(["count(*)"]) { .done(.count(try Self.count($0, 0), bounds)) }
        case .sameRowCount(let table):
            let facts = try reference(table)
            return .measure(["count(*)"]) { values in
                let own = try Self.count(values, 0)
                @Sendable func finding(_ other: Int) -> CheckStep {
                    let observed = SuiteValue.object([.init("self", .integer(own)), .init("other", .integer(other))])
                    return .done(CheckFinding(success: own == other, observed: observed))
                }
                if let other = facts.profile?.rowCount { return finding(other) }
                guard let relation = facts.relation else {
                    throw CheckFault("the rows of '\(table)' cannot be counted")
                }
                return .query("SELECT count(*) FROM \(relation)") { finding(try Self.count($0.rows.first ?? [], 0)) }
            }
        case .duplicates(let bounds):
            let list = columns.map { SQLText.identifier($0.name) }.joined(separator: ", ")
            guard !columns.isEmpty else { throw CheckFault("the table has no columns") }
            let sql = "SELECT (SELECT count(*) FROM data) - (SELECT count(*) FROM (SELECT DISTINCT \(list) FROM data))"
            let rows = relation(
                columns.map(\.name),
                adding: "row_number() OVER (PARTITION BY \(list) ORDER BY __row) AS __copy",
                where: "TRUE"
            )
            let shown = columns.prefix(8).map(\.name)
            return .query(sql) { answer in
                var finding = CheckFinding.count(try Self.count(answer.rows.first ?? [], 0), bounds)
                finding.failing = FailingRows(from: rows, predicate: "__copy > 1", columns: shown)
                return .done(finding)
            }
        case .noRows(let sql):
            // The line break ends a comment that slipped through.
            let relation = "(\(sql)\n)"
            return .query("SELECT count(*) FROM \(relation)") { rows in
                let count = try Self.count(rows.rows.first ?? [], 0)
                var finding = CheckFinding(success: count == 0, observed: .integer(count))
                finding.failing = FailingRows(from: relation, columns: [], hasRowNumbers: false)
                return .done(finding)
            }
        case .columnCount, .columnList, .columnSet, .sameSchema:
            throw CheckFault("the table's columns could not be told")
        }
    }
}

extension CheckFinding {
    static func count(_ count: Int, _ bounds: ValueBounds) -> CheckFinding {
        CheckFinding(success: bounds.contains(Double(count)) == true, observed: .integer(count))
    }
}
