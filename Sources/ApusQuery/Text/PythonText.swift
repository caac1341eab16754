/// Values as Python prints them, because MLflow's messages quote values that way.
package enum PythonText {
    /// A text in quotes.
    package static func repr(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let quote: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
        var result = String.UnicodeScalarView([quote])
        for scalar in scalars {
            switch scalar {
            case quote, "\\": result.append(contentsOf: ["\\", scalar])
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            case "\r": result.append(contentsOf: "\\r".unicodeScalars)
            case "\t": result.append(contentsOf: "\\t".unicodeScalars)
            default:
                if isPrintable(scalar) {
                    result.append(scalar)
                } else {
                    result.append(contentsOf: escape(scalar).unicodeScalars)
                }
            }
        }
        result.append(quote)
        return String(result)
    }

    /// Bytes in quotes, with the prefix `b`.
    package static func repr(bytes: some Collection<UInt8>) -> String {
        let quote: UInt8 = bytes.contains(0x27) && !bytes.contains(0x22) ? 0x22 : 0x27
        var result = "b" + String(Unicode.Scalar(quote))
        for byte in bytes {
            switch byte {
            case quote, 0x5C: result += "\\" + String(Unicode.Scalar(byte))
            case 0x0A: result += "\\n"
            case 0x0D: result += "\\r"
            case 0x09: result += "\\t"
            case 0x20..<0x7F: result += String(Unicode.Scalar(byte))
            default: result += "\\x" + hex(UInt32(byte), digits: 2)
            }
        }
        return result + String(Unicode.Scalar(quote))
    }

    /// A list of texts.
    package static func list(_ texts: some Sequence<String>) -> String {
        "[" + texts.map { repr($0) }.joined(separator: ", ") + "]"
    }

    /// A tuple of texts.
    package static func tuple(_ texts: some Sequence<String>) -> String {
        tuple(printed: texts.map { repr($0) })
    }

    /// A tuple of values that are printed already.
    package static func tuple(printed: [String]) -> String {
        printed.count == 1 ? "(\(printed[0]),)" : "(" + printed.joined(separator: ", ") + ")"
    }

    /// A set of texts, in alphabetical order; Python's own order is random.
    package static func set(_ texts: some Sequence<String>) -> String {
        "{" + texts.sorted().map { repr($0) }.joined(separator: ", ") + "}"
    }

    /// A floating-point number.
    package static func repr(_ number: Double) -> String {
        number.description
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default:
            return true
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case ...0xFF: "\\x" + hex(scalar.value, digits: 2)
        case ...0xFFFF: "\\u" + hex(scalar.value, digits: 4)
        default: "\\U" + hex(scalar.value, digits: 8)
        }
    }

    /// `value` in lower-case hexadecimal, with leading zeros up to `digits`.
    package static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
