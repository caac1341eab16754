import ApusKernel

/// What one kind of search makes of clauses, and how it words mistakes.
protocol SearchDialect: Sendable {
    /// The attributes that may be compared.
    var attributes: SearchAttributes { get }

    /// Whether clauses in front of something that is no clause are understood, and perhaps refused, first.
    var readsInOrder: Bool { get }

    /// Finds the field and the value of a clause.
    ///
    /// - Throws: `RequestError` when the field does not exist or the value's form does not suit it.
    func understand(_ clause: FilterClause) throws -> UnderstoodClause

    /// The part of a clause that ``understand(_:)`` refused.
    func mistake(in clause: FilterClause) -> Range<Int>

    /// Checks the operator of a clause and gives its value the field's type.
    ///
    /// - Throws: `RequestError`.
    func check(_ clause: UnderstoodClause) throws -> Comparison

    /// The error for parts of a filter that are no clauses.
    func strangers(_ parts: [String], filter: String) -> RequestError

    /// The error for a filter with text behind a semicolon.
    func severalStatements(filter: String) -> RequestError

    /// The text of `key` and its entity as a filter would have it, with `key` quoted in one of the given ways.
    ///
    /// Used to print filters; a spelling need not be valid.
    func spellings(of entity: SearchEntity, _ key: String) -> [String]
}

extension SearchDialect {
    var readsInOrder: Bool { false }

    func mistake(in clause: FilterClause) -> Range<Int> { clause.range }

    func severalStatements(filter: String) -> RequestError {
        .invalid(
            "Search filter contained multiple expression \(PythonText.repr(filter)). Provide AND-ed expression list."
        )
    }

    func strangers(_ parts: [String], filter: String) -> RequestError {
        .invalid("Invalid clause(s) in filter string: \(parts.joined(separator: ", "))")
    }

    func spellings(of entity: SearchEntity, _ key: String) -> [String] {
        let prefixes: [String] =
            switch entity {
            case .attribute: ["", "attribute."]
            case .param: ["params."]
            case .metric, .tag, .dataset: [entity.rawValue + "s."]
            }
        let quoted = ["`\(key)`", "\"\(key)\"", "'\(key)'", "\"`\(key)`\"", "'`\(key)`'"]
        return prefixes.flatMap { prefix in ([key] + quoted).map { prefix + $0 } }
    }
}

/// A clause whose field and value are known and whose operator is not yet checked.
struct UnderstoodClause: Sendable {
    let entity: SearchEntity
    /// The key as messages show it: as written, without quotes.
    let key: String
    /// Set for attributes.
    let attribute: SearchAttribute?
    /// The operator in upper case.
    let comparator: String
    let value: ComparisonValue
    /// The right side as written; empty when there is none.
    let valueText: String
}
