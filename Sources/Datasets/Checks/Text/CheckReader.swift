import ApusTable

/// Reads one check of a suite: what it is about, one word for what is expected, and options.
///
/// `{ column: age, between: [0, 120], mostly: 0.99 }`; the words are those of ``CheckWord``.
struct CheckReader {
    let node: SuiteNode
    /// Such as `checks[3]`.
    let place: String
    private(set) var mistakes: [SuiteMistake] = []

    private static let subjects = ["column", "columns"]
    private static let options = ["id", "mostly", "severity", "note", "meta"]

    init(_ node: SuiteNode, place: String) {
        self.node = node
        self.place = place
    }

    /// The check; nil when there are ``mistakes``.
    mutating func read() -> Check? {
        guard let members = node.members else {
            fail(node, "", "a check is a mapping such as { column: age, between: [0, 120] }, this is \(node.kind)")
            return nil
        }
        var words: [(word: CheckWord, value: SuiteNode)] = []
        for (name, value) in members where !Self.subjects.contains(name) && !Self.options.contains(name) {
            if let word = CheckWord(rawValue: name) {
                words.append((word, value))
            } else {
                let known = CheckWord.allCases.map(\.rawValue) + Self.subjects + Self.options
                fail(value, name, "unknown word\(NearestWord.hint(name, in: known))")
            }
        }
        guard words.count == 1, let (word, value) = words.first else {
            if words.isEmpty, mistakes.isEmpty { fail(node, "", "it does not say what is expected") }
            if let second = words.dropFirst().first {
                fail(second.value, second.word.rawValue, "a check expects one thing; make a check of its own of this")
            }
            return nil
        }
        return check(word, value)
    }

    private mutating func check(_ word: CheckWord, _ value: SuiteNode) -> Check? {
        var expectation: Expectation?
        do {
            let parameters = ParameterReader(value, place: "\(place).\(word.rawValue)")
            expectation = try word.expectation(of: try subject(word), parameters)
        } catch let mistake as SuiteMistake {
            mistakes.append(mistake)
        } catch {
            fail(value, word.rawValue, "\(error)")
        }
        let mostly = self.mostly(isAboutRows: expectation?.isAboutRows ?? true)
        let severity = self.severity()
        let id = text("id")
        let note = text("note")
        guard mistakes.isEmpty, let expectation else { return nil }
        return Check(id: id, expectation, mostly: mostly, severity: severity, note: note, meta: node["meta"]?.value)
    }

    /// The columns that the check names; as many as the word takes.
    private func subject(_ word: CheckWord) throws -> [String] {
        let column = node["column"]
        let columns = node["columns"]
        func mistake(_ message: String) -> SuiteMistake { SuiteMistake(place, line: node.line, message) }
        if let column, columns != nil {
            throw SuiteMistake("\(place).columns", line: column.line, "there is 'column' already")
        }
        switch word.subject {
        case .table:
            if let extra = column ?? columns {
                throw SuiteMistake(place, line: extra.line, "'\(word.rawValue)' is about the table, not about a column")
            }
            return []
        case .column:
            guard let column else { throw mistake("'\(word.rawValue)' needs a 'column'") }
            guard let name = column.text ?? column.scalar.map(\.shown), !column.isNull, !name.isEmpty else {
                throw SuiteMistake("\(place).column", line: column.line, "the name of a column, not \(column.kind)")
            }
            return [name]
        case .columns(let least):
            guard let columns else { throw mistake("'\(word.rawValue)' needs 'columns', a list of names") }
            let names = try ParameterReader(columns, place: "\(place).columns").texts()
            guard names.count >= least else {
                throw SuiteMistake("\(place).columns", line: columns.line, "at least \(least) columns are needed")
            }
            return names
        case .pair:
            guard let columns else { throw mistake("'\(word.rawValue)' needs 'columns', a list of two names") }
            let names = try ParameterReader(columns, place: "\(place).columns").texts()
            guard names.count == 2 else {
                throw SuiteMistake("\(place).columns", line: columns.line, "two columns are needed, not \(names.count)")
            }
            return names
        }
    }

    private mutating func mostly(isAboutRows: Bool) -> Double {
        guard let value = node["mostly"] else { return 1 }
        guard let part = value.double, (0...1).contains(part) else {
            fail(value, "mostly", "a number from 0 to 1, such as 0.95")
            return 1
        }
        if !isAboutRows { fail(value, "mostly", "this check does not count rows, so it has no 'mostly'") }
        return part
    }

    private mutating func severity() -> CheckSeverity {
        guard let value = node["severity"] else { return .fail }
        if let severity = value.text.flatMap(CheckSeverity.init) { return severity }
        fail(value, "severity", "'warn' or 'fail'")
        return .fail
    }

    private mutating func text(_ name: String) -> String? {
        guard let value = node[name], !value.isNull else { return nil }
        guard let text = value.text ?? value.scalar.map(\.shown) else {
            fail(value, name, "a text, not \(value.kind)")
            return nil
        }
        return text
    }

    private mutating func fail(_ node: SuiteNode, _ name: String, _ message: String) {
        let place = name.isEmpty ? self.place : "\(self.place).\(name)"
        mistakes.append(SuiteMistake(place, line: node.line ?? self.node.line, message))
    }
}
