/// The header that makes a browser save a file instead of showing it.
///
/// - SeeAlso: RFC 6266, and RFC 8187 for names beyond ASCII.
package enum ContentDisposition {
    /// The value for a file of this name, in ASCII and without control characters whatever the name holds.
    package static func attachment(named name: String) -> String {
        let fallback = fallback(for: name)
        let value = "attachment; filename=\(isToken(fallback) ? fallback : quoted(fallback))"
        return fallback == name ? value : "\(value); filename*=UTF-8''\(encoded(name))"
    }

    /// The name with `_` for what an old reader could misread.
    private static func fallback(for name: String) -> String {
        var text = ""
        for scalar in name.unicodeScalars.prefix(255) {
            let isPlain = scalar.value >= 0x20 && scalar.value < 0x7F && scalar != "/" && scalar != "\\"
            text.unicodeScalars.append(isPlain ? scalar : "_")
        }
        return text.utf8.contains { $0 != UInt8(ascii: "_") } ? text : "download"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }

    private static func isToken(_ text: String) -> Bool {
        text.utf8.allSatisfy { isAttributeByte($0) || "'*%".utf8.contains($0) }
    }

    private static func encoded(_ name: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in name.utf8 {
            if isAttributeByte(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What RFC 8187 calls `attr-char`.
    private static func isAttributeByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: "!#$&+-.^_`|~".utf8.contains(byte)
        }
    }
}
