import ApusKernel

extension SearchSchema {
    /// The search for experiments.
    package static let experiments = SearchSchema(dialect: ExperimentsDialect(), orderDialect: ExperimentsOrder())
}

/// The fields of experiments and the wording of their search.
struct ExperimentsDialect: SearchDialect {
    private static let entities: [(name: String, entity: SearchEntity)] = [
        ("attribute", .attribute), ("attributes", .attribute), ("tag", .tag), ("tags", .tag),
    ]

    let attributes = SearchAttributes([
        SearchAttribute("name", .text),
        SearchAttribute("experiment_id", .identifier, takesLists: true),
        SearchAttribute("creation_time", .wholeNumber),
        SearchAttribute("last_update_time", .wholeNumber),
    ])

    /// Finds the field that `text` names among `attributes`.
    static func field(
        _ text: String,
        among attributes: SearchAttributes
    ) throws -> (entity: SearchEntity, key: String, attribute: SearchAttribute?) {
        let (head, tail) = text.splitAtFirstDot
        let name = tail == nil ? "attribute" : head
        guard let entity = entities.first(where: { $0.name == name })?.entity else {
            throw RequestError.invalid(
                "Invalid entity type '\(name)'. Valid entity types are \(PythonText.tuple(entities.map(\.name)))"
            )
        }
        let key = (tail ?? head).bareKey
        guard entity == .attribute else { return (entity, key, nil) }
        guard let attribute = attributes[key] else {
            throw RequestError.invalid(
                "Invalid attribute key '\(key)' specified. Valid keys are '\(PythonText.set(attributes.spellings))'"
            )
        }
        return (entity, key, attribute)
    }

    func understand(_ clause: FilterClause) throws -> UnderstoodClause {
        try checkShape(clause)
        let (entity, key, attribute) = try Self.field(clause.left.text, among: attributes)
        if clause.right == nil && entity != .tag {
            throw RequestError.invalid(
                "IS NULL / IS NOT NULL is only supported for tags, not for attribute '\(key)'"
            )
        }
        let value = try clause.right.map { operand in
            guard let attribute else { return try taggedText(entity, operand) }
            return try attributeValue(attribute, key, operand)
        }
        return UnderstoodClause(
            entity: entity,
            key: key,
            attribute: attribute,
            comparator: clause.comparator,
            value: value ?? .none,
            valueText: clause.right?.text ?? ""
        )
    }

    func check(_ clause: UnderstoodClause) throws -> Comparison {
        let comparator = ComparisonOperator(rawValue: clause.comparator)
        guard let attribute = clause.attribute else {
            let allowed = ComparisonOperator.textual.union(ComparisonOperator.nullTests)
            guard let comparator, allowed.contains(comparator) else {
                throw RequestError.invalid("Invalid comparator for tag: \(clause.comparator)")
            }
            return try comparison(clause, comparator)
        }
        switch attribute.kind {
        case .identifier: return try identifier(clause, comparator)
        case .number, .wholeNumber: return try number(clause, comparator)
        case .text, .choice:
            guard let comparator, ComparisonOperator.textual.contains(comparator) else {
                throw RequestError.invalid(
                    "Invalid comparator '\(clause.comparator)' not one of '\(Self.textualNames)'"
                )
            }
            return try comparison(clause, comparator)
        }
    }

    private func identifier(_ clause: UnderstoodClause, _ comparator: ComparisonOperator?) throws -> Comparison {
        let allowed = ComparisonOperator.listed.union([.equal, .notEqual])
        guard let comparator, allowed.contains(comparator) else {
            throw RequestError.invalid("Invalid comparator for experiment_id: \(clause.comparator)")
        }
        let value: ComparisonValue =
            switch clause.value {
            case .list(let items): .list(try items.map(Self.identifier))
            case .string(let text): .string(try Self.identifier(text))
            default: clause.value
            }
        return try comparison(clause, comparator, value: value)
    }

    private func number(_ clause: UnderstoodClause, _ comparator: ComparisonOperator?) throws -> Comparison {
        guard let comparator, ComparisonOperator.numeric.contains(comparator) else {
            throw RequestError.invalid("Invalid comparator '\(clause.comparator)' not one of '\(Self.textualNames)")
        }
        guard let value = wholeNumber(clause.value), NumberText.isInteger(clause.valueText) else {
            let shown = NumberText.double(clause.valueText).map { PythonText.repr($0) } ?? clause.valueText
            throw RequestError.invalid(
                "Invalid value for numeric attribute '\(clause.key)': \(PythonText.repr(shown))"
            )
        }
        return try comparison(clause, comparator, value: value)
    }

    private static let textualNames = PythonText.set(
        ComparisonOperator.textual.union(ComparisonOperator.listed).map(\.rawValue)
    )

    private static func identifier(_ text: String) throws -> String {
        guard let number = NumberText.integer(text) else {
            throw RequestError.invalid(
                "Invalid experiment ID '\(text)'. Experiment ID must be a valid integer."
            )
        }
        return String(number)
    }
}
