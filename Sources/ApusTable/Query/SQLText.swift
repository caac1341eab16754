/// Names and values as SQL writes them.
package enum SQLText {
    /// A name in double quotes.
    package static func identifier(_ name: String) -> String { quoted(name, "\"") }

    /// A string in single quotes.
    package static func string(_ text: String) -> String { quoted(text, "'") }

    /// A value as a literal.
    package static func value(_ value: TableValue) -> String {
        switch value {
        case .null: "NULL"
        case .boolean(let value): value ? "TRUE" : "FALSE"
        // The least integer is no literal: its sign is an operator.
        case .integer(let value): value == .min ? "(-9223372036854775807 - 1)" : "\(value)"
        case .number(let value): value.isFinite ? "CAST(\(string("\(value)")) AS DOUBLE)" : special(value)
        case .text(let text): string(text)
        }
    }

    private static func special(_ value: Double) -> String {
        "CAST('\(value.isNaN ? "nan" : value > 0 ? "infinity" : "-infinity")' AS DOUBLE)"
    }

    /// A string on one line, whatever it contains: no line of it can be taken for a command of DuckDB's shell.
    static func escaped(_ text: String) -> String {
        var result = "E'"
        for scalar in text.unicodeScalars {
            switch scalar {
            case "'": result += "\\'"
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\0": break
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "'"
    }

    /// By scalars, since a quote may be part of a larger character.
    ///
    /// A zero would end the line for DuckDB's shell, so it is
    /// left out.
    private static func quoted(_ text: String, _ quote: Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView()
        result.append(quote)
        for scalar in text.unicodeScalars {
            if scalar == quote { result.append(quote) }
            if scalar != "\0" { result.append(scalar) }
        }
        result.append(quote)
        return String(result)
    }
}
