/// A condition as the text of a filter.
///
/// Reading the text with the same schema gives the condition back.
package struct PrintedFilter: Sendable, Equatable, CustomStringConvertible {
    /// The text; nil when the condition cannot be written.
    ///
    /// Any single comparison that was read can be written. Among several, a text that ends in a backslash cannot: the
    /// language has no way to keep the backslash from joining it with the next one.
    package let text: String?

    package init(_ filter: Filter, in schema: SearchSchema) {
        let text = Self.text(filter, schema, isFactor: false)
        self.text = text.flatMap { (try? schema.parse(filter: $0)) == filter ? $0 : nil }
    }

    package var description: String { text ?? "" }

    private static func text(_ filter: Filter, _ schema: SearchSchema, isFactor: Bool) -> String? {
        switch filter {
        case .comparison(let comparison): text(comparison, schema)
        case .and(let parts): joined(parts, " AND ", schema)
        case .or(let parts): joined(parts, " OR ", schema).map { isFactor ? "(\($0))" : $0 }
        }
    }

    private static func joined(_ parts: [Filter], _ separator: String, _ schema: SearchSchema) -> String? {
        let texts = parts.compactMap { text($0, schema, isFactor: separator == " AND ") }
        return texts.count == parts.count ? texts.joined(separator: separator) : nil
    }

    /// The first of several ways to quote the clause that reads back as `comparison`.
    private static func text(_ comparison: Comparison, _ schema: SearchSchema) -> String? {
        let values = texts(comparison.value)
        for field in schema.dialect.spellings(of: comparison.entity, comparison.key) {
            for value in values {
                let text = "\(field) \(comparison.comparator.rawValue)\(value.isEmpty ? "" : " ")\(value)"
                if (try? schema.parse(filter: text)) == .comparison(comparison) { return text }
            }
        }
        return nil
    }

    private static func texts(_ value: ComparisonValue) -> [String] {
        switch value {
        case .integer(let value): [String(value), "'\(value)'"]
        case .number(let value): [number(value)]
        case .string(let text): ["'\(text)'", "\"\(text)\"", text, "\(text)'", "'\(text)"]
        case .list(let items): ["(" + items.map(literal).joined(separator: ", ") + ")"]
        case .none: [""]
        }
    }

    private static func number(_ value: Double) -> String {
        if value.isInfinite { return value < 0 ? "-1e999" : "1e999" }
        guard !value.isNaN else { return "nan" }
        let text = PythonText.repr(value)
        return text.contains("e+") ? text.split(separator: "+").joined() : text
    }

    /// An item of a list; quotes and backslashes are escaped in a way that does not end the text for any reader.
    private static func literal(_ text: String) -> String {
        var result = "'"
        for scalar in text.unicodeScalars {
            switch scalar {
            case "'", "\\": result += "\\x" + PythonText.hex(scalar.value, digits: 2)
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                result += "\\x" + PythonText.hex(scalar.value, digits: 2)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "'"
    }
}
