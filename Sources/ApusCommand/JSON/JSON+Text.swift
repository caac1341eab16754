extension JSON {
    /// The value on several lines, two spaces a level, members in their order; ends without a line break.
    ///
    /// Control characters are escaped, so that the text can neither break out of JSON nor steer a terminal.
    package var prettyText: String {
        var text = ""
        write(to: &text, indentation: 0)
        return text
    }

    /// The value on one line, as a request's body.
    package var compactText: String {
        var text = ""
        write(to: &text, indentation: nil)
        return text
    }

    private func write(to text: inout String, indentation: Int?) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let number): text += String(number)
        case .double(let number): text += Self.literal(number)
        case .string(let string): Self.quote(string, to: &text)
        case .array(let elements):
            Self.block("[", "]", elements, to: &text, indentation) { element, text, inner in
                element.write(to: &text, indentation: inner)
            }
        case .object(let members):
            Self.block("{", "}", members, to: &text, indentation) { member, text, inner in
                Self.quote(member.name, to: &text)
                text += inner == nil ? ":" : ": "
                member.value.write(to: &text, indentation: inner)
            }
        }
    }

    private static func block<Element>(
        _ open: String,
        _ close: String,
        _ elements: [Element],
        to text: inout String,
        _ indentation: Int?,
        _ body: (Element, inout String, Int?) -> Void
    ) {
        text += open
        let inner = indentation.map { $0 + 2 }
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            if let inner { text += "\n" + String(repeating: " ", count: inner) }
            body(element, &text, inner)
        }
        if let indentation, !elements.isEmpty { text += "\n" + String(repeating: " ", count: indentation) }
        text += close
    }

    /// A number as JSON; NaN and the infinities as the strings that proto-JSON uses.
    private static func literal(_ number: Double) -> String {
        guard number.isFinite else { return number.isNaN ? "\"NaN\"" : number < 0 ? "\"-Infinity\"" : "\"Infinity\"" }
        return number.description
    }

    private static func quote(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            default:
                if scalar.properties.generalCategory == .control {
                    let digits = String(scalar.value, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }
}
