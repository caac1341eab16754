import ApusTable

/// Writes values as YAML that reads as the same values.
enum YAMLText {
    /// A value on one line.
    static func flow(_ value: SuiteValue) -> String {
        switch value {
        case .scalar(let value): scalar(value)
        case .list(let elements): "[\(elements.map(flow).joined(separator: ", "))]"
        case .object(let members) where members.isEmpty: "{}"
        case .object(let members):
            "{ \(members.map { "\(scalar(.text($0.name), isName: true)): \(flow($0.value))" }.joined(separator: ", ")) }"
        }
    }

    private static func scalar(_ value: TableValue, isName: Bool = false) -> String {
        switch value {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .integer(let value): "\(value)"
        case .number(let value): number(value)
        case .text(let text): isPlain(text, isName: isName) ? text : quoted(text)
        }
    }

    private static func number(_ value: Double) -> String {
        value.isNaN ? ".nan" : value.isInfinite ? (value < 0 ? "-.inf" : ".inf") : "\(value)"
    }

    /// Whether a text needs no quotes: letters, digits, blanks and a few signs, and nothing that means something else.
    private static func isPlain(_ text: String, isName: Bool) -> Bool {
        guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last, text.utf8.count <= 200,
            first != " ", last != " "
        else { return false }
        let isSafe = text.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", " ", ".", "-", "+", "/", "(", ")", ";", "=", "<": true
            default: false
            }
        }
        let words = ["yes", "no", "on", "off", "y", "n"]
        // A number is a fine name of a quantile, and no text.
        let isText = YAMLScalar.plain(text) == .text(text) && !words.contains(text.lowercased())
        let isLetterFirst = first == "_" || ("a"..."z").contains(first) || ("A"..."Z").contains(first)
        return isSafe && (isText && isLetterFirst || isName && Double(text) != nil)
    }

    /// In double quotes.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                let isSpecial =
                    scalar.value < 0x20 || (0x7F...0xA0).contains(scalar.value) || scalar.value == 0xFEFF
                    || scalar.value == 0x2028 || scalar.value == 0x2029 || (0xFFFE...0xFFFF).contains(scalar.value)
                if isSpecial {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}
