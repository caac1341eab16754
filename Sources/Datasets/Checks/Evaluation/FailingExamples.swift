import ApusKernel
import ApusTable

/// Reads some of the rows that failed, and the values that failed most often.
///
/// The rows of all checks that look at `data` alone are found in one pass and read in another.
struct FailingExamples {
    let table: any TableQuerying
    let columns: [TableColumn]
    let keys: [String]

    /// How many checks are looked for at once.
    private static let checksAtOnce = 100

    /// Adds examples to the results whose failing rows are told.
    func add(to results: inout [CheckResult], _ failing: [FailingRows?]) async throws {
        let plain = failing.indices.filter { place in
            guard let rows = failing[place], rows.from == "data", rows.predicate != nil else { return false }
            return true
        }
        var start = 0
        while start < plain.count {
            let places = Array(plain[start..<min(plain.count, start + Self.checksAtOnce)])
            try await forgiving(&results, places) { results in
                try await addTogether(places.map { ($0, failing[$0]) }, to: &results)
                try await addValuesTogether(places.map { ($0, failing[$0]) }, to: &results)
            }
            start += Self.checksAtOnce
        }
        for place in failing.indices where !plain.contains(place) {
            guard let rows = failing[place] else { continue }
            try await forgiving(&results, [place]) { results in
                try await addAlone(rows, to: &results[place])
                if rows.hasRowNumbers { try await addValues(rows, to: &results[place]) }
            }
        }
    }

    /// Judgements stand without examples: what goes wrong with them is told beside.
    private func forgiving(
        _ results: inout [CheckResult],
        _ places: [Int],
        _ body: (inout [CheckResult]) async throws -> Void
    ) async throws {
        do {
            try await body(&results)
        } catch let error as TableError where error.kind == .badQuery || error.kind == .outOfMemory {
            for place in places {
                results[place].details.append(.init("examples", .text("the rows cannot be shown: \(error.message)")))
            }
        }
    }

    private func addTogether(_ failing: [(place: Int, rows: FailingRows?)], to results: inout [CheckResult])
        async throws
    {
        let limit = CheckRunner.maximumExamples
        let lists = failing.enumerated().map { number, failing in
            "min(__row, \(limit)) FILTER (WHERE \(failing.rows?.predicate ?? "FALSE")) AS r\(number)"
        }
        let answer = try await table.rows("SELECT \(lists.joined(separator: ", ")) FROM data").rows.first ?? []
        let numbers = failing.indices.map { answer.indices.contains($0) ? Self.numbers(answer[$0]) : [] }
        let all = Set(numbers.joined()).sorted()
        guard !all.isEmpty else { return }
        var seen = Set<ExactText>()
        let names = (keys + failing.flatMap { $0.rows?.columns ?? [] }).filter { seen.insert(ExactText($0)).inserted }
        let list = all.map { "\($0)" }.joined(separator: ", ")
        let selected = (["__row"] + names.map(shown)).joined(separator: ", ")
        var rows: [Int64: [ExactText: TableValue]] = [:]
        for row in try await table.rows("SELECT \(selected) FROM data WHERE __row IN (\(list))").rows {
            guard case .integer(let number)? = row.first else { continue }
            var cells: [ExactText: TableValue] = [:]
            for (name, value) in zip(names, row.dropFirst()) { cells[ExactText(name)] = value }
            rows[number] = cells
        }
        for (numbers, failing) in zip(numbers, failing) {
            func cells(_ names: [String], _ row: Int64) -> [FailingRow.Cell] {
                names.map { FailingRow.Cell($0, rows[row]?[ExactText($0)] ?? .null) }
            }
            results[failing.place].failingRows = numbers.sorted().prefix(limit).map { number in
                FailingRow(row: number, keys: cells(keys, number), values: cells(failing.rows?.columns ?? [], number))
            }
        }
    }

    /// A list of whole numbers as DuckDB writes it.
    private static func numbers(_ value: TableValue) -> [Int64] {
        guard case .text(let text) = value else { return [] }
        return text.split { !$0.isNumber }.compactMap { Int64($0) }
    }

    /// Counts the values that failed in one pass for all checks, each row once for each check that it fails.
    private func addValuesTogether(
        _ failing: [(place: Int, rows: FailingRows?)],
        to results: inout [CheckResult]
    ) async throws {
        let limit = CheckRunner.maximumExamples
        var asked: [(place: Int, columns: [String])] = []
        var structs: [String] = []
        let width = failing.reduce(0) { max($0, $1.rows?.columns.count ?? 0) }
        for (place, rows) in failing {
            guard let rows, !addKnownValues(to: &results[place]) else { continue }
            let values = (0..<width).map { index in
                let value = index < rows.columns.count ? shown(rows.columns[index]) : "NULL"
                return "'v\(index)': CAST(\(value) AS VARCHAR)"
            }
            let fields = (["'c': \(asked.count)"] + values).joined(separator: ", ")
            structs.append("CASE WHEN \(rows.predicate ?? "FALSE") THEN {\(fields)} END")
            asked.append((place, rows.columns))
        }
        guard !asked.isEmpty else { return }
        let names = (0..<width).map { "f.v\($0)" }.joined(separator: ", ")
        let sql = """
            SELECT f.c, \(names), count(*) AS n FROM (SELECT unnest([\(structs.joined(separator: ", "))]) AS f FROM data) \
            WHERE f IS NOT NULL GROUP BY f.c, \(names) \
            QUALIFY row_number() OVER (PARTITION BY f.c ORDER BY count(*) DESC, \(names)) <= \(limit) \
            ORDER BY f.c, n DESC, \(names)
            """
        for row in try await table.rows(sql).rows where row.count == width + 2 {
            let number = try CheckPlanner.count(row, 0)
            guard asked.indices.contains(number) else { continue }
            let (place, columns) = asked[number]
            let values = zip(columns, row.dropFirst()).map { typed($1, $0) }
            let count = try CheckPlanner.count(row, row.count - 1)
            results[place].failingValues.append(FailingValue(values: values, count: count))
        }
    }

    /// The value of a column from its text.
    private func typed(_ value: TableValue, _ name: String) -> TableValue {
        guard case .text(let text) = value else { return value }
        switch columns.first(where: { ExactText($0.name) == ExactText(name) })?.type {
        case .integer: return Int64(text).map { .integer($0) } ?? value
        case .number: return Double(text).map { .number($0) } ?? value
        case .boolean: return .boolean(text == "true")
        default: return value
        }
    }

    private func addAlone(_ failing: FailingRows, to result: inout CheckResult) async throws {
        let condition = failing.predicate.map { " WHERE \($0)" } ?? ""
        let limit = CheckRunner.maximumExamples
        guard failing.hasRowNumbers else {
            let found = try await table.rows("SELECT * FROM \(failing.from)\(condition) LIMIT \(limit)")
            result.failingRows = found.rows.map { row in
                FailingRow(row: nil, keys: [], values: zip(found.columns, row).map { FailingRow.Cell($0, $1) })
            }
            return
        }
        let names = keys + failing.columns
        let selected = (["__row"] + names.map(shown)).joined(separator: ", ")
        let found = try await table.rows(
            "SELECT \(selected) FROM \(failing.from)\(condition) ORDER BY __row LIMIT \(limit)"
        )
        result.failingRows = found.rows.map { row in
            let cells = zip(names, row.dropFirst()).map { FailingRow.Cell($0, $1) }
            var number: Int64?
            if case .integer(let value)? = row.first { number = value }
            return FailingRow(
                row: number,
                keys: Array(cells.prefix(keys.count)),
                values: Array(cells.dropFirst(keys.count))
            )
        }
    }

    /// Counts the values that failed when all rows that did are known.
    private func addKnownValues(to result: inout CheckResult) -> Bool {
        guard let count = result.counts?.unexpected, count == result.failingRows.count else { return false }
        var counts: [[TableValue]: Int] = [:]
        for row in result.failingRows { counts[row.values.map(\.value), default: 0] += 1 }
        result.failingValues = counts.map { FailingValue(values: $0, count: $1) }.sorted { left, right in
            if left.count != right.count { return left.count > right.count }
            return left.values.map(\.shown).lexicographicallyPrecedes(right.values.map(\.shown))
        }
        return true
    }

    private func addValues(_ failing: FailingRows, to result: inout CheckResult) async throws {
        let limit = CheckRunner.maximumExamples
        if addKnownValues(to: &result) { return }
        let condition = failing.predicate.map { " WHERE \($0)" } ?? ""
        let values = failing.columns.map(shown).joined(separator: ", ")
        let order = failing.columns.indices.map { "\($0 + 1)" }.joined(separator: ", ")
        let found = try await table.rows(
            "SELECT \(values), count(*) AS __count FROM \(failing.from)\(condition) "
                + "GROUP BY \(order) ORDER BY __count DESC, \(order) LIMIT \(limit)"
        )
        result.failingValues = try found.rows.map { row in
            FailingValue(values: Array(row.dropLast()), count: try CheckPlanner.count(row, row.count - 1))
        }
    }

    private func shown(_ name: String) -> String {
        columns.first { ExactText($0.name) == ExactText(name) }.map { ColumnSQL($0).shown }
            ?? SQLText.identifier(name)
    }
}
