import ApusTable

/// Asks a table what checks want to know, in as few queries as possible.
struct TableAnswers: Sendable {
    let table: any TableQuerying

    /// The most values that one query asks for.
    private static let maximumValues = 400
    /// The longest list of values in a query, in bytes.
    private static let maximumBytes = 1 << 20
    /// No check takes more steps than this.
    private static let maximumSteps = 8

    /// Takes steps until each check is judged.
    func finish(_ steps: inout [Result<CheckStep, CheckFault>]) async throws {
        for _ in 0..<Self.maximumSteps {
            var waiting: [(place: Int, values: [String], next: @Sendable ([TableValue]) throws -> CheckStep)] = []
            var isDone = true
            for place in steps.indices {
                switch steps[place] {
                case .success(.query(let sql, let next)):
                    isDone = false
                    steps[place] = try await step { try next(try await table.rows(sql)) }
                case .success(.measure(let values, let next)):
                    isDone = false
                    waiting.append((place, values, next))
                default: break
                }
            }
            if isDone { return }
            let answers = try await measure(waiting.map(\.values))
            for (question, answer) in zip(waiting, answers) {
                switch answer {
                case .success(let values): steps[question.place] = try await step { try question.next(values) }
                case .failure(let fault): steps[question.place] = .failure(fault)
                }
            }
        }
    }

    /// The values that each question asks for; questions that fail do not spoil the others.
    private func measure(_ questions: [[String]]) async throws -> [Result<[TableValue], CheckFault>] {
        var answers: [Result<[TableValue], CheckFault>] = []
        var start = 0
        while start < questions.count {
            var end = start
            var (values, bytes) = (0, 0)
            while end < questions.count {
                values += questions[end].count
                bytes += questions[end].reduce(0) { $0 + $1.utf8.count }
                if end > start, values > Self.maximumValues || bytes > Self.maximumBytes { break }
                end += 1
            }
            answers += try await ask(Array(questions[start..<end]))
            start = end
        }
        return answers
    }

    /// One query for all; if it fails, each half by itself, until the question that is to blame stands alone.
    private func ask(_ questions: [[String]]) async throws -> [Result<[TableValue], CheckFault>] {
        guard !questions.isEmpty else { return [] }
        var columns: [String: Int] = [:]
        var list: [String] = []
        let places = questions.map { question in
            question.map { value -> Int in
                if let place = columns[value] { return place }
                columns[value] = list.count
                list.append("\(value) AS a\(list.count)")
                return list.count - 1
            }
        }
        do {
            let row = try await table.rows("SELECT \(list.joined(separator: ", ")) FROM data").rows.first ?? []
            return places.map { places in .success(places.map { row.indices.contains($0) ? row[$0] : .null }) }
        } catch let error as TableError where error.kind == .badQuery || error.kind == .outOfMemory {
            guard questions.count > 1 else { return [.failure(CheckFault(error.message))] }
            let middle = questions.count / 2
            return try await ask(Array(questions[..<middle])) + ask(Array(questions[middle...]))
        }
    }

    /// A step, or what is wrong with it; failures of the table itself go on.
    private func step(_ body: () async throws -> CheckStep) async throws -> Result<CheckStep, CheckFault> {
        do {
            return .success(try await body())
        } catch let fault as CheckFault {
            return .failure(fault)
        } catch let error as TableError where error.kind == .badQuery || error.kind == .outOfMemory {
            return .failure(CheckFault(error.message))
        }
    }
}
