import ApusKernel

extension SearchDialect {
    /// Refuses clauses whose parts are not a name, an operator and a value.
    func checkShape(_ clause: FilterClause) throws {
        guard clause.partCount <= 3 else {
            throw RequestError.invalid("Invalid comparison clause. Expected 3 tokens found \(clause.partCount)")
        }
        guard clause.left.form == .identifier else {
            throw RequestError.invalid(
                "Invalid comparison clause. Expected 'Identifier' found '\(clause.left.text)'"
            )
        }
    }

    /// The text between the quotes of a value; nil when the value is no name and no text.
    func quotedText(_ operand: FilterClause.Operand) throws -> String? {
        guard operand.form == .text || operand.form == .identifier else { return nil }
        guard let text = operand.text.unquoted else {
            throw RequestError.invalid(
                "Parameter value is either not quoted or unidentified quote types used for string value "
                    + "\(operand.text). Use either single or double quotes."
            )
        }
        return text
    }

    /// The value of a tag or param.
    func taggedText(_ entity: SearchEntity, _ operand: FilterClause.Operand) throws -> ComparisonValue {
        guard let text = try quotedText(operand) else {
            throw RequestError.invalid(
                "Expected a quoted string value for \(entity.rawValue) (e.g. 'my-value'). Got value \(operand.text)"
            )
        }
        return .string(text)
    }

    /// The value of a number; nil when it is not written as one.
    func number(_ operand: FilterClause.Operand) -> ComparisonValue? {
        operand.form == .integer || operand.form == .float ? NumberText.value(operand.text) : nil
    }

    /// The items of a list for `attribute`.
    func list(_ attribute: SearchAttribute?, _ operand: FilterClause.Operand) throws -> ComparisonValue {
        guard attribute?.takesLists != false else {
            throw RequestError.invalid(
                "Only \(PythonText.list(attributes.listNames)) attributes support comparison with a list of quoted "
                    + "string values."
            )
        }
        return .list(try ListText.items(of: operand.text))
    }

    /// The value of an attribute where numbers and texts are told apart by the attribute, as runs and experiments do.
    func attributeValue(
        _ attribute: SearchAttribute,
        _ key: String,
        _ operand: FilterClause.Operand
    ) throws -> ComparisonValue {
        if attribute.isNumeric {
            guard let number = number(operand) else {
                throw RequestError.invalid(
                    "Expected numeric value type for numeric attribute: \(key). Found \(operand.text)"
                )
            }
            return number
        }
        if let text = try quotedText(operand) { return .string(text) }
        guard operand.form == .parenthesis else {
            throw RequestError.invalid("Expected a quoted string value for attributes. Got value \(operand.text)")
        }
        return try list(attribute, operand)
    }

    /// Turns a checked clause into a comparison.
    ///
    /// - Throws: `RequestError` when a list stands behind an operator that takes none. MLflow passes such clauses to the
    ///   database and fails there, so the wording is the one of its other refusals of lists.
    func comparison(
        _ clause: UnderstoodClause,
        _ comparator: ComparisonOperator,
        value: ComparisonValue? = nil
    ) throws -> Comparison {
        if case .list = clause.value, !ComparisonOperator.listed.contains(comparator) {
            let subject = clause.entity == .attribute ? "attributes" : "\(clause.entity.rawValue) attributes"
            throw RequestError.invalid("Expected a quoted string value for \(subject). Got value \(clause.valueText)")
        }
        return Comparison(
            clause.entity,
            clause.attribute?.name ?? clause.key,
            comparator,
            value ?? clause.value
        )
    }

    /// A whole number that is written as such or as a text.
    func wholeNumber(_ value: ComparisonValue) -> ComparisonValue? {
        switch value {
        case .integer: value
        // Whole numbers beyond 64 bits.
        case .number(let number): number.rounded() == number && number.magnitude >= 0x1p63 ? value : nil
        case .string(let text): NumberText.integer(text).map(ComparisonValue.integer)
        case .list, .none: nil
        }
    }
}
