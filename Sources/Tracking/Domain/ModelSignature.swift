import ApusJSON

/// What a model takes and gives, as its `MLmodel` file says.
///
/// - SeeAlso: https://mlflow.org/docs/latest/ml/model/signatures
package struct ModelSignature: Sendable, Equatable {
    /// A column, a tensor or a parameter.
    package struct Field: Sendable, Equatable {
        /// Empty for the only one of its kind.
        package let name: String
        /// Such as `double`, `array(string)` or `tensor(float32, [-1, 28, 28])`.
        package let type: String
        package let isRequired: Bool
        /// What a parameter is without being given, as JSON; nil for anything else.
        package let preset: String?
    }

    /// More fields than that are counted and not kept.
    package static let fieldLimit = 5_000

    package var inputs: [Field] = []
    package var outputs: [Field] = []
    package var params: [Field] = []
    /// How many fields were left out.
    package var omitted = 0

    /// - Parameters:
    ///   - inputs: The JSON that `MLmodel` holds as a text, or nil.
    ///   - outputs: The same of what comes out.
    ///   - params: The same of the parameters.
    package init(inputs: String?, outputs: String?, params: String?) {
        self.inputs = read(inputs)
        self.outputs = read(outputs)
        self.params = read(params)
    }

    package var isEmpty: Bool { inputs.isEmpty && outputs.isEmpty && params.isEmpty }

    /// The fields of a JSON list; none of a text that is something else.
    private mutating func read(_ text: String?) -> [Field] {
        guard var text else { return [] }
        return text.withUTF8 { bytes in
            guard let document = try? JSONDocument(parsing: UnsafeRawBufferPointer(bytes)),
                let elements = document.root.elements
            else { return [] }
            let (fields, omitted) = Self.fields(elements)
            self.omitted += omitted
            return fields
        }
    }

    /// The fields of a list of columns or tensors, such as a dataset's schema, and how many were left out.
    static func fields(_ elements: JSONValue.Elements) -> (fields: [Field], omitted: Int) {
        var fields: [Field] = []
        var omitted = 0
        for element in elements {
            guard fields.count < fieldLimit else {
                omitted += 1
                continue
            }
            let preset = element["default"].map { compact($0) }
            fields.append(
                Field(
                    name: element["name"]?.string ?? "",
                    type: type(element),
                    isRequired: element["required"]?.bool ?? (preset == nil),
                    preset: preset
                )
            )
        }
        return (fields, omitted)
    }

    /// A type in words; the depth is that of the JSON, which its parser bounds.
    private static func type(_ value: JSONValue) -> String {
        if let tensor = value["tensor-spec"] {
            let shape = tensor["shape"].map { compact($0) } ?? ""
            return "tensor(\(tensor["dtype"]?.string ?? "any"), \(shape))"
        }
        let name = value["type"]?.string ?? "any"
        // A parameter's shape tells a list.
        if let shape = value["shape"]?.elements {
            return shape.reduce(name) { inner, _ in "array(\(inner))" }
        }
        switch name {
        case "array": return "array(\(value["items"].map { type($0) } ?? "any"))"
        case "map": return "map(\(value["values"].map { type($0) } ?? "any"))"
        case "object":
            guard let members = value["properties"]?.members else { return name }
            let parts = members.prefix(50).map { member in
                "\(member.name)\(member.value["required"]?.bool ?? true ? "" : "?"): \(type(member.value))"
            }
            return "{\(parts.joined(separator: ", "))}"
        default: return name
        }
    }

    /// The JSON of a value, with blanks behind commas.
    private static func compact(_ value: JSONValue) -> String {
        switch value.kind {
        case .null: return "null"
        case .bool: return value.bool ?? false ? "true" : "false"
        case .integer: return value.integer.map { "\($0)" } ?? ""
        case .unsigned, .double: return value.double.map { "\($0)" } ?? ""
        case .array:
            return "[\((value.elements.map { $0.prefix(100).map { compact($0) } } ?? []).joined(separator: ", "))]"
        case .object:
            let parts = value.members.map { $0.prefix(100).map { "\"\($0.name)\": \(compact($0.value))" } } ?? []
            return "{\(parts.joined(separator: ", "))}"
        case .string:
            var json = JSONWriter()
            json.string(value.string ?? "")
            return String(decoding: json.bytes, as: UTF8.self)
        }
    }
}
