import ApusKernel
import ApusTable

/// Decides how a check is judged: from what is known already, or by which queries.
struct CheckPlanner: Sendable {
    let columns: [TableColumn]
    let profile: TableProfile?
    /// Whether rows can be asked for.
    let hasRows: Bool
    /// What is known of the tables that checks refer to, by name.
    let references: [String: ReferenceFacts]
    /// Seconds since 1970.
    let now: Double
    /// The suite's keys that are columns of the table.
    let keys: [String]
    private let places: [ExactText: Int]
    /// Columns that are known to hold nothing.
    private var emptied: Set<ExactText> = []

    init(
        columns: [TableColumn],
        profile: TableProfile?,
        hasRows: Bool,
        references: [String: ReferenceFacts],
        now: Double,
        keys: [String]
    ) {
        self.columns = columns
        self.profile = profile
        self.hasRows = hasRows
        self.references = references
        self.now = now
        var places: [ExactText: Int] = [:]
        for (index, column) in columns.enumerated() where places[ExactText(column.name)] == nil {
            places[ExactText(column.name)] = index
        }
        self.places = places
        self.keys = keys.filter { places[ExactText($0)] != nil }
    }

    /// The first step of a check.
    ///
    /// - Throws: ``CheckFault`` when the table has not what the check needs.
    func plan(_ check: Check) throws(CheckFault) -> CheckStep {
        if let step = try schemaStep(check.expectation) { return step }
        for name in check.expectation.columns { _ = try column(name) }
        if let profile, let answer = ProfileAnswers(profile: profile, now: now, references: references).answer(check) {
            // Rows that fail are shown, and only the table has them.
            if answer.success || !hasRows || !check.expectation.isAboutRows { return .done(answer) }
        }
        guard hasRows else {
            return .undecided("the profile does not tell; the rows are needed")
        }
        do {
            return try rowsStep(check)
        } catch {
            // A column that holds nothing is of no type that it could be wrong in.
            let texts = try check.expectation.columns.map { name throws(CheckFault) in try column(name).column }
                .filter { $0.type == .text || $0.type == .other }
            guard emptied.isEmpty, !texts.isEmpty else { throw error }
            return .measure(texts.map { "count(\(SQLText.identifier($0.name)))" }) { counts in
                var planner = self
                for (place, column) in texts.enumerated() where try Self.count(counts, place) == 0 {
                    planner.emptied.insert(ExactText(column.name))
                }
                guard !planner.emptied.isEmpty else { throw error }
                return try planner.rowsStep(check)
            }
        }
    }

    private func rowsStep(_ check: Check) throws(CheckFault) -> CheckStep {
        switch check.expectation {
        case .values(let name, let test): return try valueStep(try column(name), test, mostly: check.mostly)
        case .rows(let names, let test, let rule):
            var columns: [ColumnSQL] = []
            for name in names { columns.append(try column(name)) }
            return try rowStep(columns, test, rule, mostly: check.mostly)
        case .statistic(let name, let statistic, let bounds):
            return try statisticStep(try column(name), statistic, bounds)
        case .quantiles(let name, let bounds, let way): return try quantileStep(try column(name), bounds, way)
        case .distinct(let name, let relation, let values):
            return distinctStep(try column(name), relation, values)
        case .mostCommon(let name, let values, let ties): return mostCommonStep(try column(name), values, ties)
        case .fresh(let name, let seconds): return try freshStep(try column(name), seconds)
        case .drift(let name, let test): return try driftStep(try column(name), test)
        case .table(let test): return try tableStep(test)
        case .type, .exists: throw CheckFault("the table's columns could not be told")
        }
    }

    /// - Throws: ``CheckFault`` when there is no such column.
    func column(_ name: String) throws(CheckFault) -> ColumnSQL {
        guard let place = places[ExactText(name)] else {
            let near = NearestWord.of(name, in: columns.map(\.name))
            throw CheckFault("there is no column '\(name)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
        }
        return ColumnSQL(columns[place], isEmpty: emptied.contains(ExactText(name)))
    }

    /// - Throws: ``CheckFault`` when the table that a check refers to is not known.
    func reference(_ name: String) throws(CheckFault) -> ReferenceFacts {
        guard let facts = references[name] else { throw CheckFault("there is no table '\(name)' to compare with") }
        if let fault = facts.fault { throw CheckFault(fault) }
        return facts
    }

    /// A relation with `__row`, the keys, some columns and one more expression.
    func relation(_ columns: [String], adding expression: String, where condition: String) -> String {
        var seen = Set<ExactText>()
        let names = (keys + columns).filter { seen.insert(ExactText($0)).inserted }.map(SQLText.identifier)
        return "(SELECT \((["__row"] + names + [expression]).joined(separator: ", ")) FROM data WHERE \(condition))"
    }

    /// Counts rows by conditions in the common pass.
    ///
    /// - Parameters:
    ///   - considered: Which rows are looked at; nil for all.
    ///   - unexpected: Which of all rows fail.
    ///   - mostly: The part that must not fail.
    ///   - columns: Whose values failed.
    ///   - message: What is wrong, if any row fails.
    /// - Returns: The step.
    func counting(
        considered: String?,
        unexpected: String,
        mostly: Double,
        columns: [String],
        message: String? = nil
    ) -> CheckStep {
        let counts = ["count(*)", considered.map { "count(*) FILTER (WHERE \($0))" } ?? "count(*)"]
        return .measure(counts + ["count(*) FILTER (WHERE \(unexpected))"]) { values in
            let found = try RowCounts(
                elements: Self.count(values, 0),
                considered: considered == nil ? nil : Self.count(values, 1),
                unexpected: Self.count(values, 2)
            )
            return .done(
                CheckFinding(
                    success: found.succeeds(mostly: mostly),
                    counts: found,
                    failing: FailingRows(predicate: unexpected, columns: columns),
                    message: message
                )
            )
        }
    }

    /// A count that a query gave.
    static func count(_ values: [TableValue], _ place: Int) throws -> Int {
        guard values.indices.contains(place) else { throw CheckFault("the table answered less than was asked") }
        switch values[place] {
        case .integer(let count): return Int(clamping: count)
        case .number(let count): return Int(exactly: count.rounded()) ?? 0
        // Sums of counts have more than 64 bits.
        case .text(let text): return Int(text) ?? 0
        case .null, .boolean: return 0
        }
    }

    /// A number that a query gave; nil for NULL.
    static func number(_ values: [TableValue], _ place: Int) throws -> Double? {
        guard values.indices.contains(place) else { throw CheckFault("the table answered less than was asked") }
        if case .text(let text) = values[place] { return Double(text) }
        return values[place].double
    }
}
