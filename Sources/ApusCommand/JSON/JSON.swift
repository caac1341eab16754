package import ApusJSON

/// A JSON value that outlives the text it was read from; objects keep the order of their members.
package indirect enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([JSON])
    case object([Member])

    /// A name and its value.
    package struct Member: Sendable, Equatable {
        package let name: String
        package let value: JSON

        package init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }

    /// Reads a whole text.
    ///
    /// - Throws: `JSONDocument.SyntaxError`, also for nesting above `JSONDocument.maximumDepth`.
    package init(parsing bytes: [UInt8]) throws {
        self = try bytes.withUnsafeBytes { JSON(try JSONDocument(parsing: $0).root) }
    }

    /// Copies a value out of its document, whose depth is bounded.
    package init(_ value: JSONValue) {
        switch value.kind {
        case .null: self = .null
        case .bool: self = .bool(value.bool ?? false)
        case .integer: self = value.integer.map(JSON.integer) ?? .null
        case .unsigned, .double: self = value.double.map(JSON.double) ?? .null
        case .string: self = .string(value.string ?? "")
        case .array: self = .array(value.elements?.map { JSON($0) } ?? [])
        case .object: self = .object(value.members?.map { Member($0.name, JSON($0.value)) } ?? [])
        }
    }
}

extension JSON {
    /// The last member of that name; null when there is none or this is not an object.
    package subscript(name: String) -> JSON {
        guard case .object(let members) = self else { return .null }
        return members.last { $0.name == name }?.value ?? .null
    }

    /// The elements of an array; none for anything else, as the API leaves out empty lists.
    package var elements: [JSON] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    /// The text of a string; nil for anything else.
    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The text of a string, or nothing.
    package var text: String { string ?? "" }

    /// A whole number, also when it was sent as a decimal string.
    package var integer: Int64? {
        switch self {
        case .integer(let number): number
        case .double(let number): Int64(exactly: number)
        case .string(let text): Int64(text)
        default: nil
        }
    }

    /// A number, also NaN and the infinities, which are strings on the wire.
    package var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .double(let number): number
        case .string("NaN"): .nan
        case .string("Infinity"): .infinity
        case .string("-Infinity"): -.infinity
        default: nil
        }
    }

    /// `true` or `false`; nil for anything else.
    package var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The same object without the members that are null, for optional request fields.
    package var withoutNulls: JSON {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { $0.value != .null })
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }

    /// A string, or null for none.
    package static func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }

    /// An array of strings.
    package static func strings(_ texts: [String]) -> JSON { .array(texts.map(JSON.string)) }
}
