import ApusKernel

/// What the searches of the model registry have in common.
struct RegistryDialect: SearchDialect {
    private static let entities: [(name: String, entity: SearchEntity)] = [
        ("attribute", .attribute), ("tag", .tag), ("tags", .tag),
    ]

    let attributes: SearchAttributes
    /// What is searched, as messages call it.
    let subject: String
    /// The names of numeric attributes as messages list them; empty when numbers are never allowed.
    let numericNames: [String]

    func understand(_ clause: FilterClause) throws -> UnderstoodClause {
        try checkShape(clause)
        guard let right = clause.right else {
            throw RequestError.invalid("IS NULL / IS NOT NULL is not supported for \(subject) search.")
        }
        let (entity, key) = try field(clause.left.text)
        let attribute = entity == .attribute ? attributes[key] : nil
        return UnderstoodClause(
            entity: entity,
            key: key,
            attribute: attribute,
            comparator: clause.comparator,
            value: try attribute.map { try value($0, right) } ?? taggedText(entity, right),
            valueText: right.text
        )
    }

    private func field(_ text: String) throws -> (SearchEntity, String) {
        let (head, tail) = text.splitAtFirstDot
        let name = tail == nil ? "attribute" : head
        guard let entity = Self.entities.first(where: { $0.name == name })?.entity else {
            throw RequestError.invalid(
                "Invalid entity type '\(name)'. Valid entity types are \(PythonText.tuple(Self.entities.map(\.name)))"
            )
        }
        let key = tail ?? head
        // The registry looks attributes up with their quotes, so quoted ones are unknown.
        if entity == .attribute && attributes[key] == nil {
            throw RequestError.invalid(
                "Invalid attribute key '\(key)' specified. Valid keys are '\(PythonText.set(attributes.spellings))'"
            )
        }
        return (entity, entity == .attribute ? key : key.bareKey)
    }

    private func value(_ attribute: SearchAttribute, _ operand: FilterClause.Operand) throws -> ComparisonValue {
        if let text = try quotedText(operand) { return .string(text) }
        if operand.form == .parenthesis { return try list(attribute, operand) }
        guard !numericNames.isEmpty, let number = number(operand) else {
            throw RequestError.invalid(
                "Expected a quoted string value or a list of quoted string values for attributes. "
                    + "Got value \(operand.text)"
            )
        }
        guard attribute.isNumeric else {
            throw RequestError.invalid(
                "Only the '\(PythonText.set(numericNames))' attributes support comparison with numeric values."
            )
        }
        return number
    }

    func check(_ clause: UnderstoodClause) throws -> Comparison {
        let comparator = ComparisonOperator(rawValue: clause.comparator)
        guard let attribute = clause.attribute else {
            guard let comparator, ComparisonOperator.textual.contains(comparator) else {
                throw RequestError.invalid("Invalid comparator for tag: \(clause.comparator)")
            }
            return try comparison(clause, comparator)
        }
        if attribute.isNumeric { return try number(clause, attribute, comparator) }
        let allowed = ComparisonOperator.textual.union(attribute.takesLists ? ComparisonOperator.listed : [])
        guard let comparator, allowed.contains(comparator) else {
            throw RequestError.invalid("Invalid comparator for attribute: \(clause.comparator)")
        }
        return try comparison(clause, comparator)
    }

    private func number(
        _ clause: UnderstoodClause,
        _ attribute: SearchAttribute,
        _ comparator: ComparisonOperator?
    ) throws -> Comparison {
        guard let comparator, ComparisonOperator.numeric.contains(comparator) else {
            throw RequestError.invalid("Invalid comparator for attribute \(clause.key): \(clause.comparator)")
        }
        let isText = if case .string = clause.value { true } else { false }
        let isFraction = !isText && !NumberText.isInteger(clause.valueText)
        guard !isFraction, let value = wholeNumber(clause.value) else {
            let shown =
                switch clause.value {
                case .string(let text): PythonText.repr(text)
                default: clause.value.double.map { PythonText.repr($0) } ?? clause.valueText
                }
            throw RequestError.invalid("Invalid value for numeric attribute '\(clause.key)': \(shown)")
        }
        return try comparison(clause, comparator, value: value)
    }

    func spellings(of entity: SearchEntity, _ key: String) -> [String] {
        guard entity == .tag else { return [key] }
        return [key, "`\(key)`", "\"\(key)\"", "'\(key)'", "\"`\(key)`\"", "'`\(key)`'"].map { "tags." + $0 }
    }
}
