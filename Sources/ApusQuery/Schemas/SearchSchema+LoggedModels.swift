import ApusKernel

extension SearchSchema {
    /// The search for logged models.
    ///
    /// It differs from the others: entities are plural only, values may go without quotes, and double quotes belong to
    /// a value or key. Order terms are objects, so use `parse(orderBy:)` with `OrderRequest`.
    package static let loggedModels = SearchSchema(dialect: LoggedModelsDialect(), orderDialect: LoggedModelsOrder())
}

/// The fields of logged models and the wording of their search.
struct LoggedModelsDialect: SearchDialect {
    private static let entities: [(name: String, entity: SearchEntity)] = [
        ("attributes", .attribute), ("metrics", .metric), ("params", .param), ("tags", .tag),
    ]
    /// In the order in which messages list them.
    private static let numeric: [ComparisonOperator] = [
        .less, .lessOrEqual, .greater, .greaterOrEqual, .equal, .notEqual,
    ]
    private static let textual: [ComparisonOperator] = [.equal, .notEqual, .like, .iLike, .in, .notIn]

    let readsInOrder = true

    /// The names of timestamps as messages show them, by their spelling.
    private static let aliases = [
        "creation_time": "creation_timestamp_ms",
        "creation_timestamp": "creation_timestamp_ms",
        "last_updated_timestamp": "last_updated_timestamp_ms",
    ]

    let attributes = SearchAttributes([
        SearchAttribute("name", .text, takesLists: true),
        SearchAttribute("model_id", .text, takesLists: true),
        SearchAttribute("model_type", .text, takesLists: true),
        SearchAttribute("status", .choice(["UNSPECIFIED", "PENDING", "READY", "FAILED"]), takesLists: true),
        SearchAttribute("source_run_id", .text, takesLists: true),
        SearchAttribute("experiment_id", .text, takesLists: true),
        SearchAttribute("artifact_location", .text, takesLists: true),
        SearchAttribute(
            "creation_timestamp",
            spellings: ["creation_timestamp", "creation_time", "creation_timestamp_ms"],
            .number
        ),
        SearchAttribute(
            "last_updated_timestamp",
            spellings: ["last_updated_timestamp", "last_updated_timestamp_ms"],
            .number
        ),
    ])

    func understand(_ clause: FilterClause) throws -> UnderstoodClause {
        guard let right = clause.right, clause.partCount == 3 else {
            throw RequestError.invalid(
                "Invalid comparison: \(clause.left.text)\(clause.right == nil ? "" : " ")\(clause.comparator)"
                    + "\(clause.right.map { " " + $0.text } ?? ""). Expected a comparison with 3 tokens."
            )
        }
        let (entity, key) = try field(clause.left.text)
        let attribute = entity == .attribute ? attributes[key] : nil
        let isNumeric = entity == .metric || attribute?.isNumeric == true
        let allowed = isNumeric ? Self.numeric : Self.textual
        guard let comparator = ComparisonOperator(rawValue: clause.comparator), allowed.contains(comparator) else {
            let name = Self.entities.first { $0.entity == entity }?.name ?? ""
            throw RequestError.invalid(
                "Invalid comparison operator for \(name).\(key): \(PythonText.repr(clause.comparator)). "
                    + "Expected one of \(PythonText.tuple(allowed.map(\.rawValue)))."
            )
        }
        return UnderstoodClause(
            entity: entity,
            key: key,
            attribute: attribute,
            comparator: clause.comparator,
            value: try isNumeric ? number(entity, key, right) : text(right),
            valueText: right.text
        )
    }

    private func field(_ text: String) throws -> (SearchEntity, String) {
        let (head, tail) = text.splitAtFirstDot
        let hasEntity = !head.isEmpty && head.unicodeScalars.allSatisfy { ("a"..."z").contains($0) }
        guard hasEntity, let tail, let first = tail.unicodeScalars.first, !tail.unicodeScalars.contains("\n"),
            first != "\n"
        else { return (.attribute, (Self.aliases[text] ?? text).trimmed("`")) }
        guard let entity = Self.entities.first(where: { $0.name == head })?.entity else {
            throw RequestError.invalid(
                "Invalid entity type: \(PythonText.repr(head)). "
                    + "Expected one of \(PythonText.list(Self.entities.map(\.name)))."
            )
        }
        return (entity, tail.trimmed("`"))
    }

    private func number(_ entity: SearchEntity, _ key: String, _ operand: FilterClause.Operand) throws
        -> ComparisonValue
    {
        // Names such as `inf` are numbers, too.
        guard let value = NumberText.value(operand.text) else {
            let subject = entity == .metric ? "metric" : "numeric attribute: \(key)"
            throw RequestError.invalid("Expected numeric value type for \(subject). Found \(operand.text)")
        }
        return value
    }

    private func text(_ operand: FilterClause.Operand) throws -> ComparisonValue {
        guard operand.form == .parenthesis else { return .string(operand.text.trimmed("'")) }
        return .list(try ListText.items(of: operand.text))
    }

    func check(_ clause: UnderstoodClause) throws -> Comparison {
        // Only now, because MLflow meets unknown attributes last (and then fails).
        if clause.entity == .attribute && clause.attribute == nil {
            throw RequestError.invalid(
                "Invalid attribute key '\(clause.key)' specified. Valid keys are '\(PythonText.set(attributes.spellings))'"
            )
        }
        guard let comparator = ComparisonOperator(rawValue: clause.comparator) else {
            throw RequestError.invalid("Invalid comparator '\(clause.comparator)'")
        }
        guard case .choice(let choices) = clause.attribute?.kind else { return try comparison(clause, comparator) }
        guard [.equal, .notEqual, .in, .notIn].contains(comparator) else {
            throw RequestError.invalid("Invalid comparison operator for \(clause.key): \(comparator.rawValue)")
        }
        let (values, shown) =
            switch clause.value {
            case .string(let text): ([text], PythonText.repr(text))
            case .list(let items): (items, PythonText.tuple(items))
            default: ([], "")
            }
        guard values.allSatisfy(choices.contains) else {
            throw RequestError.invalid("Unknown model \(clause.key) in filter: \(shown)")
        }
        return try comparison(clause, comparator)
    }

    func strangers(_ parts: [String], filter: String) -> RequestError {
        .invalid(
            "Invalid filter string: \(PythonText.repr(filter)). Expected a list of comparisons separated by 'AND' "
                + "(e.g. 'metrics.loss > 0.1 AND params.lr = 0.01')."
        )
    }

    func severalStatements(filter: String) -> RequestError {
        .invalid("Invalid filter string: \(PythonText.repr(filter)). Expected a single SQL expression.")
    }

    func spellings(of entity: SearchEntity, _ key: String) -> [String] {
        let prefix = entity == .attribute ? "" : (Self.entities.first { $0.entity == entity }?.name ?? "") + "."
        return [prefix + key, prefix + "`\(key)`", "attributes." + key]
    }
}
