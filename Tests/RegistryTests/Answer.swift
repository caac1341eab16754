import ApusJSON
import Testing

/// An answer of a route.
struct Answer: Sendable {
    let status: Int
    let body: String

    /// The value at a path of names and indices, as text; nil when there is none.
    func callAsFunction(_ path: String...) -> String? {
        var body = body
        return body.withUTF8 { bytes in
            guard let document = try? JSONDocument(parsing: UnsafeRawBufferPointer(bytes)) else { return nil }
            var value = document.root
            for step in path {
                guard let next = Self.step(value, step) else { return nil }
                value = next
            }
            return Self.text(value)
        }
    }

    /// What every element of a list has under a name.
    func each(_ list: String, _ name: String) -> [String] {
        var found: [String] = []
        while let value = self(list, String(found.count), name) { found.append(value) }
        return found
    }

    var code: String? { self("error_code") }
    var message: String? { self("message") }

    private static func step(_ value: JSONValue, _ name: String) -> JSONValue? {
        if let members = value.members { return members.filter { $0.name == name }.last?.value }
        guard let index = Int(name), let elements = value.elements else { return nil }
        return Array(elements.dropFirst(index)).first
    }

    private static func text(_ value: JSONValue) -> String {
        switch value.kind {
        case .string: value.string ?? ""
        case .integer, .unsigned: value.integer.map { String($0) } ?? ""
        case .double: value.double.map { String($0) } ?? ""
        case .bool: value.bool == true ? "true" : "false"
        case .null: "null"
        case .object:
            "{" + (value.members.map { $0.map { "\($0.name):\(text($0.value))" }.joined(separator: ",") } ?? "") + "}"
        case .array: "[" + (value.elements.map { $0.map { text($0) }.joined(separator: ",") } ?? "") + "]"
        }
    }
}

/// A JSON value to send.
indirect enum JSON: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral
{
    case text(String)
    case number(Int64)
    case truth(Bool)
    case list([JSON])
    case object([(String, JSON)])

    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int64) { self = .number(value) }
    init(booleanLiteral value: Bool) { self = .truth(value) }
    init(arrayLiteral elements: JSON...) { self = .list(elements) }

    /// A list of tags.
    static func pairs(_ pairs: [(String, String)]) -> JSON {
        .list(pairs.map { .object([("key", .text($0.0)), ("value", .text($0.1))]) })
    }

    func write(to json: inout JSONWriter) {
        switch self {
        case .text(let text): json.string(text)
        case .number(let number): json.integer(number)
        case .truth(let truth): json.bool(truth)
        case .list(let list): json.array(list) { $1.write(to: &$0) }
        case .object(let members):
            json.object { json in
                for (name, value) in members {
                    json.key(text: name)
                    value.write(to: &json)
                }
            }
        }
    }

    /// The value as arguments of a query string.
    func query(_ name: String) -> [String] {
        switch self {
        case .text(let text): ["\(name)=\(Self.escaped(text))"]
        case .number(let number): ["\(name)=\(number)"]
        case .truth(let truth): ["\(name)=\(truth)"]
        case .list(let list): list.flatMap { $0.query(name) }
        case .object: []
        }
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            let hex = String(byte, radix: 16, uppercase: true)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (hex.count < 2 ? "0" + hex : hex)
        }.joined()
    }
}
