import ApusKernel

extension SearchSchema {
    /// The search for runs.
    ///
    /// `run_name` is an attribute here although MLflow keeps it in a tag. A status is compared as text, such as
    /// `FINISHED`, in the case in which it is written.
    package static let runs = SearchSchema(dialect: RunsDialect(), orderDialect: RunsOrder())
}

/// The fields of runs and the wording of their search.
struct RunsDialect: SearchDialect {
    static let entities: [String: SearchEntity] = [
        "metric": .metric, "metrics": .metric,
        "parameter": .param, "parameters": .param, "param": .param, "params": .param,
        "tag": .tag, "tags": .tag,
        "attribute": .attribute, "attributes": .attribute, "attr": .attribute, "run": .attribute,
        "dataset": .dataset, "datasets": .dataset,
    ]
    private static let entityNames = ["metric", "parameter", "tag", "attribute", "dataset"]
    private static let datasetKeys = ["name", "digest", "context"]
    private static let textual = ComparisonOperator.textual.union(ComparisonOperator.listed)

    let attributes = SearchAttributes([
        SearchAttribute("run_id", .text, takesLists: true),
        SearchAttribute("run_name", spellings: ["run_name", "run name", "Run name", "Run Name"], .text),
        SearchAttribute("user_id", .text),
        SearchAttribute("status", .text),
        SearchAttribute("artifact_uri", .text),
        SearchAttribute("start_time", spellings: ["start_time", "created", "Created"], .number),
        SearchAttribute("end_time", .number),
    ])

    /// Finds the field that `text` names among `attributes`.
    static func field(
        _ text: String,
        among attributes: SearchAttributes
    ) throws -> (entity: SearchEntity, key: String, attribute: SearchAttribute?) {
        let (head, tail) = text.splitAtFirstDot
        let name = (tail == nil ? "attribute" : head).withoutBackticks
        guard let entity = entities[name] else {
            throw RequestError.invalid(
                "Invalid entity type '\(name)'. Valid values are \(PythonText.list(entityNames))"
            )
        }
        let key = (tail ?? head).bareKey
        if entity == .attribute && attributes[key] == nil {
            throw RequestError.invalid(
                "Invalid attribute key '\(key)' specified. Valid keys are '\(PythonText.set(attributes.spellings))'"
            )
        }
        if entity == .dataset && !datasetKeys.contains(key) {
            throw RequestError.invalid(
                "Invalid dataset key '\(key)' specified. Valid keys are '\(PythonText.set(datasetKeys))'"
            )
        }
        return (entity, key, entity == .attribute ? attributes[key] : nil)
    }

    func understand(_ clause: FilterClause) throws -> UnderstoodClause {
        try checkShape(clause)
        let (entity, key, attribute) = try Self.field(clause.left.text, among: attributes)
        if clause.right == nil && entity != .tag && entity != .param {
            throw RequestError.invalid(
                "IS NULL / IS NOT NULL is only supported for tags and params, not for '\(entity.rawValue)' '\(key)'"
            )
        }
        let value = try clause.right.map { try self.value(entity, key, attribute, $0) }
        return UnderstoodClause(
            entity: entity,
            key: key,
            attribute: attribute,
            comparator: clause.comparator,
            value: value ?? .none,
            valueText: clause.right?.text ?? ""
        )
    }

    func mistake(in clause: FilterClause) -> Range<Int> {
        do {
            try checkShape(clause)
            _ = try Self.field(clause.left.text, among: attributes)
        } catch {
            return clause.left.range
        }
        return clause.right?.range ?? clause.range
    }

    private func value(
        _ entity: SearchEntity,
        _ key: String,
        _ attribute: SearchAttribute?,
        _ operand: FilterClause.Operand
    ) throws -> ComparisonValue {
        switch entity {
        case .metric:
            guard let number = number(operand) else {
                throw RequestError.invalid("Expected numeric value type for metric. Found \(operand.text)")
            }
            return number
        case .param, .tag:
            return try taggedText(entity, operand)
        case .attribute:
            guard let attribute else { return .none }
            return try attributeValue(attribute, key, operand)
        case .dataset:
            if let text = try quotedText(operand) { return .string(text) }
            guard operand.form == .parenthesis else {
                throw RequestError.invalid(
                    "Expected a quoted string value for dataset attributes. Got value \(operand.text)"
                )
            }
            return try list(nil, operand)
        }
    }

    func check(_ clause: UnderstoodClause) throws -> Comparison {
        let isNumeric = clause.entity == .metric || clause.attribute?.isNumeric == true
        let nullable = ComparisonOperator.textual.union(ComparisonOperator.nullTests)
        let allowed: Set<ComparisonOperator> =
            switch clause.entity {
            case .metric: ComparisonOperator.numeric
            case .param, .tag: nullable
            case .attribute: isNumeric ? ComparisonOperator.numeric : Self.textual
            case .dataset: Self.textual
            }
        guard let comparator = ComparisonOperator(rawValue: clause.comparator), allowed.contains(comparator) else {
            // MLflow shows the operators of texts for numeric attributes, too, and forgets the quote that closes the
            // set for most fields.
            let shown = clause.entity == .attribute ? Self.textual : allowed
            let close = clause.entity == .param || (clause.entity == .attribute && !isNumeric) ? "'" : ""
            throw RequestError.invalid(
                "Invalid comparator '\(clause.comparator)' not one of '\(PythonText.set(shown.map(\.rawValue)))\(close)"
            )
        }
        return try comparison(clause, comparator)
    }

    func strangers(_ parts: [String], filter: String) -> RequestError {
        let quoted = parts.map { "'\($0)'" }
        return .invalid("Invalid clause(s) in filter string: \(quoted.joined(separator: ", "))")
    }
}
