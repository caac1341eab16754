package import ApusJSON

/// A parameter that a model's signature declares.
///
/// - SeeAlso: `ParamSpec` in MLflow's `mlflow/types/schema.py`.
package struct SignatureParameter: Sendable, Equatable {
    package let name: String
    package let type: SignatureType
    /// Whether the value is a list.
    package let isList: Bool
    /// What it is without being given.
    package let preset: ParameterValue

    /// - Throws: ``ServingError`` `modelFailed` for what is no parameter.
    package init(_ field: JSONValue) throws {
        guard let name = field["name"]?.string, let preset = field["default"] else {
            throw ServingError.modelFailed("The model's signature has a parameter without name or default.")
        }
        self.name = name
        type = try SignatureType(field)
        isList = field["shape"]?.elements != nil
        self.preset = ParameterValue(preset)
    }

    /// The parameters of a request: what it gives, checked, and the defaults of what it does not.
    ///
    /// Those that the signature does not know are left out, as MLflow does.
    ///
    /// - Throws: ``ServingError`` `invalid` that names all that are wrong.
    package static func enforce(
        _ given: JSONValue?,
        against schema: [SignatureParameter]?
    ) throws -> [String: ParameterValue] {
        guard let schema else { return [:] }
        var values: [String: ParameterValue] = [:]
        for parameter in schema { values[parameter.name] = parameter.preset }
        guard let given, !given.isNull else { return values }
        guard let members = given.members else {
            throw ServingError.invalid("Parameters must be a dictionary. Got type '\(given.kind.pythonName)'.")
        }
        var faults: [String] = []
        for member in members {
            guard let parameter = schema.first(where: { $0.name == member.name }) else { continue }
            do {
                values[parameter.name] = try parameter.checked(member.value)
            } catch {
                faults.append("params.\(parameter.name): \(error.message)")
            }
        }
        guard faults.isEmpty else {
            throw ServingError.invalid("Invalid parameters found: \(faults.joined(separator: "; "))")
        }
        return values
    }

    private func checked(_ value: JSONValue) throws(ServingError) -> ParameterValue {
        guard isList else { return try checkedOne(value) }
        guard let elements = value.elements else {
            throw .invalid("a list of \(type.name) is wanted, not \(value.kind.pythonName)")
        }
        for element in elements { _ = try checkedOne(element) }
        return ParameterValue(value)
    }

    /// Integers may stand for floating-point numbers, and nothing else for what it is not.
    private func checkedOne(_ value: JSONValue) throws(ServingError) -> ParameterValue {
        guard !value.isNull else { return .json("null") }
        let fits: Bool
        switch type {
        case .scalar(.boolean): fits = value.bool != nil
        case .scalar(.integer), .scalar(.long): fits = value.kind == .integer || value.kind == .unsigned
        case .scalar(.float), .scalar(.double):
            guard let number = value.double else {
                fits = false
                break
            }
            return .double(number)
        case .scalar(.string): fits = value.kind == .string
        case .scalar(.datetime): fits = value.string.map { Self.isTime($0) } ?? false
        case .scalar(.binary): fits = false
        case .object: fits = value.kind == .object
        case .array: fits = value.kind == .array
        case .map: fits = value.kind == .object
        case .any: fits = true
        }
        guard fits else { throw .invalid("\(type.name) is wanted, not \(value.kind.pythonName)") }
        return ParameterValue(value)
    }

    /// Whether a text starts as ISO 8601 dates do.
    private static func isTime(_ text: String) -> Bool {
        let parts = text.prefix(10).split(separator: "-", omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0].count == 4 && parts.allSatisfy { UInt16($0) != nil }
    }
}

extension JSONValue.Kind {
    /// The type that Python reads such a value as.
    package var pythonName: String {
        switch self {
        case .null: "NoneType"
        case .bool: "bool"
        case .integer, .unsigned: "int"
        case .double: "float"
        case .string: "str"
        case .array: "list"
        case .object: "dict"
        }
    }
}

extension ParameterValue {
    /// The value of a member of a request's parameters.
    package init(_ value: JSONValue) {
        switch value.kind {
        case .bool: self = .bool(value.bool ?? false)
        case .integer: self = .integer(value.integer ?? 0)
        case .double: self = .double(value.double ?? .nan)
        case .string: self = .string(value.string ?? "")
        case .null, .unsigned, .array, .object: self = .json(value.text)
        }
    }
}

extension JSONValue {
    /// The value as JSON, without blanks.
    package var text: String {
        var json = JSONWriter(capacity: 64)
        write(to: &json)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    /// Writes the value as it was read; the depth is that of the text, which its parser bounds.
    package func write(to json: inout JSONWriter) {
        switch kind {
        case .null: json.null()
        case .bool: json.bool(bool ?? false)
        case .integer: json.integer(integer ?? 0)
        case .unsigned: json.raw(json: "\(cell.bits)".utf8)
        case .double: json.double(double ?? .nan)
        case .string: json.string(string ?? "")
        case .array:
            json.beginArray()
            if let elements { for element in elements { element.write(to: &json) } }
            json.endArray()
        case .object:
            json.beginObject()
            if let members {
                for member in members {
                    json.key(text: member.name)
                    member.value.write(to: &json)
                }
            }
            json.endObject()
        }
    }
}
