import ApusKernel

/// What one kind of search can be ordered by, and how it words mistakes.
protocol OrderDialect: Sendable {
    /// Whether the same field may be named only once.
    var refusesDuplicates: Bool { get }

    /// Finds the field that is ordered by.
    ///
    /// - Parameters:
    ///   - field: The field's text without the direction.
    ///   - ascending: The direction asked for.
    /// - Returns: The term with the field's canonical name.
    /// - Throws: `RequestError` when there is no such field.
    func term(_ field: String, ascending: Bool) throws -> OrderTerm
}

/// The order of runs.
struct RunsOrder: OrderDialect {
    let refusesDuplicates = true
    private let attributes = SearchAttributes([
        SearchAttribute("run_id", .text),
        SearchAttribute("run_name", .text),
        SearchAttribute("user_id", .text),
        SearchAttribute("status", .text),
        SearchAttribute("artifact_uri", .text),
        SearchAttribute("start_time", spellings: ["start_time", "created", "Created"], .number),
        SearchAttribute("end_time", .number),
    ])

    func term(_ field: String, ascending: Bool) throws -> OrderTerm {
        let (entity, key, attribute) = try RunsDialect.field(field, among: attributes)
        guard entity != .dataset else {
            throw RequestError.invalid("Invalid identifier type '\(entity.rawValue)'")
        }
        return OrderTerm(entity, attribute?.name ?? key, ascending: ascending)
    }
}

/// The order of experiments.
struct ExperimentsOrder: OrderDialect {
    let refusesDuplicates = false

    func term(_ field: String, ascending: Bool) throws -> OrderTerm {
        let (entity, key, attribute) = try ExperimentsDialect.field(field, among: ExperimentsDialect().attributes)
        guard let attribute else {
            throw RequestError.invalid("Invalid order_by entity: \(entity.rawValue)")
        }
        return OrderTerm(entity, attribute.name == key ? key : attribute.name, ascending: ascending)
    }
}

/// The order of registered models; both names of the timestamp mean the last update.
struct RegisteredModelsOrder: OrderDialect {
    let refusesDuplicates = true

    func term(_ field: String, ascending: Bool) throws -> OrderTerm {
        switch field {
        case "name": return OrderTerm(.attribute, field, ascending: ascending)
        case "timestamp", "last_updated_timestamp":
            return OrderTerm(.attribute, "last_updated_timestamp", ascending: ascending)
        default:
            throw RequestError.invalid(
                "Invalid order by key '\(field)' specified. "
                    + "Valid keys are '\(PythonText.set(["name", "timestamp"]))'"
            )
        }
    }
}

/// The order of model versions.
struct ModelVersionsOrder: OrderDialect {
    let refusesDuplicates = true
    private let attributes = SearchAttributes([
        SearchAttribute("name", .text),
        SearchAttribute("version_number", .wholeNumber),
        SearchAttribute("creation_timestamp", .number),
        SearchAttribute("last_updated_timestamp", .number),
    ])

    func term(_ field: String, ascending: Bool) throws -> OrderTerm {
        let (_, key, _) = try ExperimentsDialect.field(field, among: attributes)
        // As in MLflow the entity does not matter once the key is known, so `tags.name` is the name.
        guard attributes[key] != nil else {
            throw RequestError.invalid(
                "Invalid order by key '\(key)' specified. Valid keys are \(PythonText.set(attributes.spellings))"
            )
        }
        return OrderTerm(.attribute, key, ascending: ascending)
    }
}

/// The order of logged models.
struct LoggedModelsOrder: OrderDialect {
    let refusesDuplicates = false

    func term(_ field: String, ascending: Bool) throws -> OrderTerm {
        let (head, tail) = field.splitAtFirstDot
        guard let key = tail else {
            guard let attribute = LoggedModelsDialect().attributes[field] else {
                throw RequestError.invalid("Invalid order by field name: \(field)")
            }
            return OrderTerm(.attribute, attribute.name, ascending: ascending)
        }
        guard head == "metrics" else {
            throw RequestError.invalid("Invalid order by field name: \(field). Only metrics are supported.")
        }
        return OrderTerm(.metric, key, ascending: ascending)
    }
}
