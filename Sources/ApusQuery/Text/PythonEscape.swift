/// Resolves what stands behind a backslash in a Python text.
struct PythonEscape {
    let source: SourceText
    /// The index behind the backslash; behind the whole escape once it is resolved.
    var position: Int

    /// The code points that the escape stands for; nil when it is malformed.
    ///
    /// An unknown escape stands for itself, the backslash included.
    mutating func resolve() -> [Unicode.Scalar]? {
        guard let mark = source.peek(position) else { return nil }
        position += 1
        switch mark {
        case "\n": return []
        case "\r":
            if source.peek(position) == "\n" { position += 1 }
            return []
        case "\\", "'", "\"": return [mark]
        case "a": return ["\u{07}"]
        case "b": return ["\u{08}"]
        case "f": return ["\u{0C}"]
        case "n": return ["\n"]
        case "r": return ["\r"]
        case "t": return ["\t"]
        case "v": return ["\u{0B}"]
        case "0"..."7": return octal(mark)
        case "x": return hexadecimal(digits: 2)
        case "u": return hexadecimal(digits: 4)
        case "U": return hexadecimal(digits: 8)
        case "N": return nil
        default: return ["\\", mark]
        }
    }

    private mutating func octal(_ first: Unicode.Scalar) -> [Unicode.Scalar]? {
        var value = first.value & 7
        var count = 1
        while count < 3, let digit = source.peek(position), (0x30...0x37).contains(digit.value) {
            value = value * 8 + (digit.value & 7)
            position += 1
            count += 1
        }
        return Unicode.Scalar(value).map { [$0] }
    }

    private mutating func hexadecimal(digits: Int) -> [Unicode.Scalar]? {
        let text = source[position..<position + digits]
        guard text.unicodeScalars.count == digits, text.unicodeScalars.allSatisfy(\.isHexDigit) else { return nil }
        position += digits
        return UInt32(text, radix: 16).flatMap(Unicode.Scalar.init).map { [$0] }
    }
}
