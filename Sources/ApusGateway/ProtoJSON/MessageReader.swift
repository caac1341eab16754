package import ApusJSON
package import ApusKernel

/// A request message, whether it came as JSON or as a query string.
///
/// Follows protobuf's JSON rules where MLflow does: names in snake case or lower camel case, whole numbers as numbers
/// or as decimal strings, unknown fields ignored, `null` the same as absent.
///
/// - SeeAlso: https://protobuf.dev/programming-guides/json/
package struct MessageReader {
    private enum Source {
        case object(JSONValue)
        case query([(name: String, value: String)])
        case empty
    }

    private let source: Source
    /// Where this message stands in the outer one, such as `metrics[0].`.
    private let prefix: String

    private init(_ source: Source, prefix: String = "") {
        self.source = source
        self.prefix = prefix
    }

    /// - Throws: `INVALID_PARAMETER_VALUE` unless the value is an object.
    package init(_ value: JSONValue, prefix: String = "") throws {
        guard value.kind == .object else {
            throw RequestError.invalid("The request body must be a JSON object.")
        }
        self.init(.object(value), prefix: prefix)
    }

    package init(query: [(name: String, value: String)]) {
        self.init(.query(query))
    }

    /// A message without fields.
    package static var empty: MessageReader { MessageReader(.empty) }

    /// The name of a field as error messages show it.
    package func path(_ name: StaticString) -> String { "\(prefix)\(name)" }

    /// The JSON value of a field, or nil when absent; for a query see the typed readers.
    package func json(_ name: StaticString) throws -> JSONValue? {
        guard case .object(let object) = source, let members = object.members else { return nil }
        var snake: JSONValue?
        var camel: JSONValue?
        for member in members {
            if member.isNamed(name) {
                snake = member.value
            } else if member.isNamedInCamelCase(name) {
                camel = member.value
            }
        }
        if snake != nil, camel != nil {
            throw RequestError.invalid("The request has both spellings of the field '\(path(name))'.")
        }
        guard let value = snake ?? camel, !value.isNull else { return nil }
        return value
    }

    /// A text, or nil when absent.
    package func string(_ name: StaticString) throws -> String? {
        if case .query(let items) = source { return items.last { $0.name == name.description }?.value }
        guard let value = try json(name) else { return nil }
        guard let text = value.string else { throw typeError(name, value) }
        return text
    }

    /// A text that must be there and not empty.
    package func requiredString(_ name: StaticString) throws -> String {
        guard let text = try string(name), !text.isEmpty else { throw missing(name) }
        return text
    }

    /// A 64-bit whole number, or nil when absent.
    package func integer(_ name: StaticString) throws -> Int64? {
        if case .query(let items) = source {
            guard let text = items.last(where: { $0.name == name.description })?.value else { return nil }
            guard let number = Int64(text) else { throw typeError(name, shown: "\"\(text)\"", type: "str") }
            return number
        }
        guard let value = try json(name) else { return nil }
        guard let number = value.integer ?? value.string.flatMap({ Int64($0) }) else { throw typeError(name, value) }
        return number
    }

    /// A 64-bit whole number that must be there.
    package func requiredInteger(_ name: StaticString) throws -> Int64 {
        guard let number = try integer(name) else { throw missing(name) }
        return number
    }

    /// A number, or nil when absent; NaN and the infinities come as strings.
    package func double(_ name: StaticString) throws -> Double? {
        guard let value = try json(name) else { return nil }
        guard let number = ProtoJSON.double(value) else { throw typeError(name, value) }
        return number
    }

    /// A truth value, or nil when absent.
    package func bool(_ name: StaticString) throws -> Bool? {
        if case .query(let items) = source {
            guard let text = items.last(where: { $0.name == name.description })?.value else { return nil }
            switch text.lowercased() {
            case "true": return true
            case "false": return false
            default: throw typeError(name, shown: "\"\(text)\"", type: "str")
            }
        }
        guard let value = try json(name) else { return nil }
        guard let truth = value.bool else { throw typeError(name, value) }
        return truth
    }

    /// A list of texts; empty when absent.
    package func strings(_ name: StaticString, limit: Int = 10_000) throws -> [String] {
        if case .query(let items) = source { return items.filter { $0.name == name.description }.map(\.value) }
        guard let value = try json(name) else { return [] }
        guard let elements = value.elements else { throw typeError(name, value) }
        var texts: [String] = []
        for element in elements {
            guard let text = element.string else { throw typeError(name, value) }
            texts.append(text)
            guard texts.count <= limit else { throw tooMany(name, limit) }
        }
        return texts
    }

    /// A list of messages; empty when absent.
    package func messages(_ name: StaticString, limit: Int = 100_000) throws -> [MessageReader] {
        guard let value = try json(name) else { return [] }
        guard let elements = value.elements else { throw typeError(name, value) }
        var messages: [MessageReader] = []
        for element in elements {
            guard element.kind == .object else { throw typeError(name, value) }
            messages.append(MessageReader(.object(element), prefix: "\(prefix)\(name)[\(messages.count)]."))
            guard messages.count <= limit else { throw tooMany(name, limit) }
        }
        return messages
    }

    /// A message, or nil when absent.
    package func message(_ name: StaticString) throws -> MessageReader? {
        guard let value = try json(name) else { return nil }
        guard value.kind == .object else { throw typeError(name, value) }
        return MessageReader(.object(value), prefix: "\(prefix)\(name).")
    }

    /// An enumeration's case, by name or by number; nil when absent.
    package func enumeration<Case>(_ name: StaticString, _ cases: [(name: String, number: Int64, value: Case)]) throws
        -> Case?
    {
        if case .query = source {
            guard let text = try string(name) else { return nil }
            guard let found = cases.first(where: { $0.name == text || String($0.number) == text }) else {
                throw typeError(name, shown: "\"\(text)\"", type: "str")
            }
            return found.value
        }
        guard let value = try json(name) else { return nil }
        let found = cases.first { $0.name == value.string || $0.number == value.integer }
        guard let found else { throw typeError(name, value) }
        return found.value
    }

    /// The error for a field that is missing.
    package func missing(_ name: StaticString) -> RequestError {
        .invalid(
            "Missing value for required parameter '\(path(name))'. "
                + "See the API docs for more information about request parameters."
        )
    }

    /// The error for a field of the wrong type.
    package func typeError(_ name: StaticString, _ value: JSONValue) -> RequestError {
        typeError(name, shown: ProtoJSON.shown(value), type: ProtoJSON.pythonType(value))
    }

    private func typeError(_ name: StaticString, shown: String, type: String) -> RequestError {
        .invalid(
            "Invalid value \(shown) for parameter '\(path(name))' supplied:  Hint: Value was of type '\(type)'. "
                + "See the API docs for more information about request parameters."
        )
    }

    private func tooMany(_ name: StaticString, _ limit: Int) -> RequestError {
        .invalid("The field '\(path(name))' has more than \(limit) elements.")
    }
}

extension JSONMember {
    /// Whether the name is the lower-camel-case form of a snake-case name.
    fileprivate func isNamedInCamelCase(_ name: StaticString) -> Bool {
        let count = name.utf8CodeUnitCount
        var expected: [UInt8] = []
        var raise = false
        for index in 0..<count {
            let byte = name.utf8Start[index]
            if byte == UInt8(ascii: "_") {
                raise = true
            } else {
                expected.append(raise && byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte - 32 : byte)
                raise = false
            }
        }
        return expected.count != count && self.name.utf8.elementsEqual(expected)
    }
}
