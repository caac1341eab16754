/// Reads the JSON inside a page token: small, trusted by nobody, at most 16 levels deep.
struct TokenJSONReader {
    private static let maximumDepth = 16
    private let source: SourceText
    private var position = 0

    private init(_ text: String) {
        source = SourceText(text)
    }

    /// The value that `bytes` hold; nil when they are not one JSON value in UTF-8.
    static func value(_ bytes: [UInt8]) -> TokenJSON? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var reader = TokenJSONReader(text)
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipBlanks()
        return reader.position == reader.source.count ? value : nil
    }

    private mutating func value(depth: Int) -> TokenJSON? {
        guard depth < Self.maximumDepth else { return nil }
        skipBlanks()
        switch source.peek(position) {
        case "{": return object(depth: depth)
        case "[": return array(depth: depth)
        case "\"": return string().map(TokenJSON.string)
        default: return word()
        }
    }

    private mutating func object(depth: Int) -> TokenJSON? {
        position += 1
        var members: [TokenJSON.Member] = []
        skipBlanks()
        if take("}") { return .object([]) }
        repeat {
            skipBlanks()
            guard source.peek(position) == "\"", let name = string() else { return nil }
            skipBlanks()
            guard take(":"), let value = value(depth: depth + 1) else { return nil }
            members.append(TokenJSON.Member(name: name, value: value))
            skipBlanks()
        } while take(",")
        return take("}") ? .object(members) : nil
    }

    private mutating func array(depth: Int) -> TokenJSON? {
        position += 1
        var items: [TokenJSON] = []
        skipBlanks()
        if take("]") { return .array([]) }
        repeat {
            guard let item = value(depth: depth + 1) else { return nil }
            items.append(item)
            skipBlanks()
        } while take(",")
        return take("]") ? .array(items) : nil
    }

    private mutating func string() -> String? {
        position += 1
        var units: [UInt16] = []
        while let scalar = source.peek(position) {
            position += 1
            switch scalar {
            case "\"":
                return String(validating: units, as: UTF16.self)
            case "\\":
                guard let unit = escape() else { return nil }
                units.append(unit)
            default:
                guard scalar.value >= 0x20 else { return nil }
                units.append(contentsOf: UTF16.encode(scalar) ?? Unicode.UTF16.EncodedScalar())
            }
        }
        return nil
    }

    private mutating func escape() -> UInt16? {
        guard let mark = source.peek(position) else { return nil }
        position += 1
        switch mark {
        case "\"", "\\", "/": return UInt16(mark.value)
        case "b": return 0x08
        case "f": return 0x0C
        case "n": return 0x0A
        case "r": return 0x0D
        case "t": return 0x09
        case "u":
            let digits = source[position..<position + 4]
            position += 4
            guard digits.utf8.count == 4, digits.unicodeScalars.allSatisfy(\.isHexDigit) else { return nil }
            return UInt16(digits, radix: 16)
        default: return nil
        }
    }

    private mutating func word() -> TokenJSON? {
        let end = source.end(from: position) { $0.isASCII && ($0.isWordPart || "+-.".unicodeScalars.contains($0)) }
        let text = source[position..<end]
        position = end
        switch text {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "NaN": return .number(.nan)
        case "Infinity": return .number(.infinity)
        case "-Infinity": return .number(-.infinity)
        default:
            let digits = text.utf8.first == 0x2D ? text.utf8.dropFirst() : text.utf8[...]
            let hasLeadingZero =
                digits.first == 0x30 && digits.dropFirst().first.map { (0x30...0x39).contains($0) } == true
            guard digits.first.map({ (0x30...0x39).contains($0) }) == true, !hasLeadingZero,
                text.utf8.last.map({ (0x30...0x39).contains($0) }) == true, !text.utf8.contains(0x5F)
            else { return nil }
            if let integer = Int64(text) { return .integer(integer) }
            return NumberText.double(text).map(TokenJSON.number)
        }
    }

    private mutating func skipBlanks() {
        position = source.end(from: position) { " \t\n\r".unicodeScalars.contains($0) }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard source.peek(position) == scalar else { return false }
        position += 1
        return true
    }
}
