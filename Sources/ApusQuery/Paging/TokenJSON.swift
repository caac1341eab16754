/// A JSON value inside a page token.
indirect enum TokenJSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([TokenJSON])
    case object([Member])

    /// A name and its value.
    struct Member: Sendable, Equatable {
        let name: String
        let value: TokenJSON
    }

    /// The value of the last member called `name`; nil when there is none or this is no object.
    subscript(name: String) -> TokenJSON? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    /// Whether Python takes the value for false.
    var isFalsy: Bool {
        switch self {
        case .null: true
        case .bool(let value): !value
        case .integer(let value): value == 0
        case .number(let value): value == 0
        case .string(let text): text.isEmpty
        case .array(let items): items.isEmpty
        case .object(let members): members.isEmpty
        }
    }

    /// The value as Python prints it.
    var printed: String {
        switch self {
        case .null: "None"
        case .bool(let value): value ? "True" : "False"
        case .integer(let value): String(value)
        case .number(let value): PythonText.repr(value)
        case .string(let text): PythonText.repr(text)
        case .array(let items): "[" + items.map(\.printed).joined(separator: ", ") + "]"
        case .object(let members):
            "{" + members.map { "\(PythonText.repr($0.name)): \($0.value.printed)" }.joined(separator: ", ") + "}"
        }
    }

    /// The value as JSON in ASCII, with a blank behind each comma and colon.
    var encoded: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): value.isFinite ? value.description : "null"
        case .string(let text): Self.quoted(text)
        case .array(let items): "[" + items.map(\.encoded).joined(separator: ", ") + "]"
        case .object(let members):
            "{" + members.map { "\(Self.quoted($0.name)): \($0.value.encoded)" }.joined(separator: ", ") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            default:
                if (0x20..<0x7F).contains(scalar.value) {
                    result.unicodeScalars.append(scalar)
                } else {
                    for unit in UTF16.encode(scalar) ?? Unicode.UTF16.EncodedScalar() {
                        result += "\\u" + PythonText.hex(UInt32(unit), digits: 4)
                    }
                }
            }
        }
        return result + "\""
    }
}
