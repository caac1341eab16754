import ApusKernel

/// Reads a filter into a condition.
///
/// The text is first read as a tree of raw clauses; then all clauses are understood, then all operators are checked,
/// so that of several mistakes the same one is reported as by MLflow.
struct FilterParser {
    /// The tree of the clauses' numbers.
    private indirect enum Tree {
        case clause(Int)
        case all([Tree])
        case any([Tree])
    }

    private let source: SourceText
    private let dialect: any SearchDialect
    private let items: FilterItems
    private var clauses: [FilterClause] = []
    /// What the last error was about, in code points of the source; nil when it was about no place in particular.
    private(set) var mistake: Range<Int>?

    init(source: SourceText, dialect: any SearchDialect) {
        self.source = source
        self.dialect = dialect
        items = FilterItems(source)
    }

    /// The condition; nil when there are no comparisons.
    ///
    /// - Throws: `RequestError`.
    mutating func filter() throws -> Filter? {
        if let next = secondStatement {
            throw refused(next.range, dialect.severalStatements(filter: source.string))
        }
        let tree = try tree(items.tokens.indices, depth: 0)
        var fields: [UnderstoodClause] = []
        for clause in clauses { fields.append(try understand(clause)) }
        var comparisons: [Comparison] = []
        for (clause, field) in zip(clauses, fields) {
            do { comparisons.append(try dialect.check(field)) } catch { throw refused(comparator(of: clause), error) }
        }
        return tree.flatMap { Self.filter($0, comparisons) }
    }

    private static func filter(_ tree: Tree, _ comparisons: [Comparison]) -> Filter? {
        switch tree {
        case .clause(let index): comparisons.indices.contains(index) ? .comparison(comparisons[index]) : nil
        case .all(let parts): Filter.all(parts.compactMap { filter($0, comparisons) })
        case .any(let parts): Filter.any(parts.compactMap { filter($0, comparisons) })
        }
    }

    /// Notes where an error is and gives it back.
    private mutating func refused(_ range: Range<Int>, _ error: any Error) -> any Error {
        mistake = range
        return error
    }

    private mutating func understand(_ clause: FilterClause) throws -> UnderstoodClause {
        do { return try dialect.understand(clause) } catch { throw refused(dialect.mistake(in: clause), error) }
    }

    /// Where the operator of a clause stands, without the blanks around it.
    private func comparator(of clause: FilterClause) -> Range<Int> {
        guard let right = clause.right, clause.left.range.upperBound < right.range.lowerBound else {
            return clause.range
        }
        let start = source.end(from: clause.left.range.upperBound) { $0.isBlank }
        var end = right.range.lowerBound
        while end > start, source.peek(end - 1)?.isBlank == true { end -= 1 }
        return start < end ? start..<end : clause.range
    }

    /// What follows a semicolon outside of parentheses.
    private var secondStatement: FilterToken? {
        var level = 0
        var isEnded = false
        for token in items.tokens {
            if isEnded && token.kind != .comment { return token }
            switch token.kind {
            case .openParenthesis: level += 1
            case .closeParenthesis: level -= 1
            case .semicolon where level <= 0: isEnded = true
            case .keyword where source[token.range] == "GO": isEnded = true
            default: break
            }
        }
        return nil
    }

    private mutating func tree(_ range: Range<Int>, depth: Int) throws -> Tree? {
        let level = items.items(in: range)
        guard level.allSatisfy(isUsable) else {
            // Parentheses are named along with the strangers: they may well belong to one, as in `NOT (…)`.
            throw try refusal(level.filter { !isUsable($0) || $0.kind == .parenthesis }, in: level)
        }
        let usesExtension = depth > 0 || level.contains { $0.kind == .parenthesis || items.isKeyword($0, "OR") }
        guard usesExtension else {
            // MLflow ignores where `AND` stands, and whether it stands at all.
            let parts = try level.compactMap { try operand($0, depth: depth) }
            return parts.isEmpty ? nil : .all(parts)
        }
        return try alternatives(level, depth: depth)
    }

    private func isUsable(_ item: FilterItem) -> Bool {
        item.clause != nil || item.kind == .parenthesis || items.isKeyword(item, "AND") || items.isKeyword(item, "OR")
    }

    /// Reads operands that `AND` and `OR` join.
    private mutating func alternatives(_ level: [FilterItem], depth: Int) throws -> Tree {
        var alternatives: [Tree] = []
        var factors: [Tree] = []
        var expectsOperand = true
        for item in level {
            let isOr = items.isKeyword(item, "OR")
            guard isOr || items.isKeyword(item, "AND") else {
                guard expectsOperand, let factor = try operand(item, depth: depth) else {
                    throw try refusal([item], in: level)
                }
                factors.append(factor)
                expectsOperand = false
                continue
            }
            if expectsOperand { throw try refusal([item], in: level) }
            expectsOperand = true
            if isOr {
                alternatives.append(.all(factors))
                factors = []
            }
        }
        if expectsOperand { throw try refusal(level.suffix(1), in: level) }
        return .any(alternatives + [.all(factors)])
    }

    /// The tree of a comparison or of what stands in parentheses; nil for anything else.
    private mutating func operand(_ item: FilterItem, depth: Int) throws -> Tree? {
        if let clause = item.clause {
            guard clauses.count < SearchLimits.clauses else {
                throw refused(
                    item.range,
                    RequestError.invalid("The filter has more than \(SearchLimits.clauses) comparisons.")
                )
            }
            clauses.append(clause)
            return .clause(clauses.count - 1)
        }
        guard item.kind == .parenthesis else { return nil }
        guard item.tokens.count > 2 else { throw try refusal([item], in: [item]) }
        guard depth < SearchLimits.depth else {
            throw refused(
                item.range,
                RequestError.invalid("The filter has more than \(SearchLimits.depth) nested parentheses.")
            )
        }
        return try tree(item.tokens.lowerBound + 1..<item.tokens.upperBound - 1, depth: depth + 1)
    }

    /// The error for `strangers` among the items of one level.
    ///
    /// - Throws: `RequestError` when a clause in front of them is refused first.
    private mutating func refusal(_ strangers: some Collection<FilterItem>, in level: [FilterItem]) throws
        -> RequestError
    {
        if dialect.readsInOrder, let first = strangers.first {
            let before = level.prefix { $0.range.lowerBound < first.range.lowerBound }
            for clause in before.compactMap(\.clause) { _ = try understand(clause) }
        }
        if let first = strangers.first {
            // Strangers that stand side by side are most likely one unfinished comparison.
            var place = first.range
            for next in strangers.dropFirst() {
                guard source.end(from: place.upperBound, while: { $0.isBlank }) == next.range.lowerBound else { break }
                place = place.lowerBound..<next.range.upperBound
            }
            mistake = place
        }
        return dialect.strangers(strangers.map { items.text($0) }, filter: source.string)
    }
}
