/// Reads protobuf's text format, as `config.pbtxt` is written in.
///
/// It knows no schema: it returns names and values as they stand there. Extensions and `Any` are refused.
///
/// - SeeAlso: https://protobuf.dev/reference/protobuf/textformat-spec/
package struct ProtobufTextReader {
    /// A longer text is refused.
    static let maximumBytes = 1 << 20
    private static let maximumDepth = 32
    private static let maximumFields = 100_000

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private var lineStart = 0
    private var count = 0

    /// - Throws: ``ConfigurationError`` with the place of the first mistake.
    package static func message(_ bytes: [UInt8]) throws -> ConfigurationMessage {
        guard bytes.count <= maximumBytes else {
            throw ConfigurationError(.init(), "the file is larger than \(maximumBytes) bytes")
        }
        var reader = ProtobufTextReader(bytes: bytes)
        // A mark that some editors put before UTF-8.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            reader.index = 3
            reader.lineStart = 3
        }
        return try reader.message(closedBy: nil, depth: 0)
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var place: ConfigurationPlace { ConfigurationPlace(line: line, column: index - lineStart + 1) }
    private var byte: UInt8? { index < bytes.count ? bytes[index] : nil }

    // MARK: Messages

    private mutating func message(closedBy end: UInt8?, depth: Int) throws -> ConfigurationMessage {
        guard depth <= Self.maximumDepth else { throw ConfigurationError(place, "messages are nested too deeply") }
        var message = ConfigurationMessage(place: place)
        while true {
            skipBlanks()
            guard let byte else {
                guard let end else { return message }
                throw ConfigurationError(place, "'\(Character(UnicodeScalar(end)))' is missing at the end")
            }
            if byte == end {
                index += 1
                return message
            }
            try field(into: &message, depth: depth)
            skipBlanks()
            if self.byte == UInt8(ascii: ",") || self.byte == UInt8(ascii: ";") { index += 1 }
        }
    }

    private mutating func field(into message: inout ConfigurationMessage, depth: Int) throws {
        let place = place
        guard let byte, Self.beginsWord(byte) else { throw unexpected("the name of a field") }
        let name = word()
        skipBlanks()
        let hasColon = self.byte == UInt8(ascii: ":")
        if hasColon {
            index += 1
            skipBlanks()
        }
        guard let next = self.byte else { throw ConfigurationError(self.place, "the value of '\(name)' is missing") }
        if next == UInt8(ascii: "[") {
            index += 1
            try list(name, place, into: &message, depth: depth)
            return
        }
        guard hasColon || Self.closing(next) != nil else { throw unexpected("':' or '{' after '\(name)'") }
        try append(.init(name: name, node: try value(depth: depth), place: place), to: &message)
    }

    private mutating func list(
        _ name: String,
        _ place: ConfigurationPlace,
        into message: inout ConfigurationMessage,
        depth: Int
    ) throws {
        skipBlanks()
        if byte == UInt8(ascii: "]") {
            index += 1
            return
        }
        while true {
            skipBlanks()
            let place = self.place
            try append(.init(name: name, node: try value(depth: depth), place: place), to: &message)
            skipBlanks()
            switch byte {
            case UInt8(ascii: ","): index += 1
            case UInt8(ascii: "]"):
                index += 1
                return
            default: throw unexpected("',' or ']' in the list of '\(name)'")
            }
        }
    }

    private mutating func append(_ field: ConfigurationMessage.Field, to message: inout ConfigurationMessage) throws {
        count += 1
        guard count <= Self.maximumFields else { throw ConfigurationError(place, "there are too many fields") }
        message.fields.append(field)
    }

    // MARK: Values

    private mutating func value(depth: Int) throws -> ConfigurationNode {
        guard let byte else { throw ConfigurationError(place, "a value is missing at the end") }
        if let end = Self.closing(byte) {
            index += 1
            return .message(try message(closedBy: end, depth: depth + 1))
        }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .text(try text())
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case _ where Self.beginsWord(byte): return .word(word())
        default: throw unexpected("a value")
        }
    }

    private static func closing(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "{"): UInt8(ascii: "}")
        case UInt8(ascii: "<"): UInt8(ascii: ">")
        default: nil
        }
    }

    private static func beginsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private static func continuesWord(_ byte: UInt8) -> Bool {
        beginsWord(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private mutating func word() -> String {
        let start = index
        while let byte, Self.continuesWord(byte) { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func number() throws -> String {
        var text = ""
        if byte == UInt8(ascii: "-") {
            text = "-"
            index += 1
            skipBlanks()
        }
        let start = index
        while let byte {
            let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            let followsExponent = index > start && bytes[index - 1] | 0x20 == UInt8(ascii: "e")
            guard Self.continuesWord(byte) || byte == UInt8(ascii: ".") || (isSign && followsExponent) else { break }
            index += 1
        }
        guard index > start else { throw unexpected("a number") }
        return text + String(decoding: bytes[start..<index], as: UTF8.self)
    }

    /// One or more quoted pieces, which belong together.
    private mutating func text() throws -> String {
        var content: [UInt8] = []
        while let quote = byte, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            let start = place
            index += 1
            while true {
                guard let byte, byte != UInt8(ascii: "\n") else {
                    throw ConfigurationError(start, "the text has no closing quote")
                }
                index += 1
                if byte == quote { break }
                if byte == UInt8(ascii: "\\") { try escape(into: &content) } else { content.append(byte) }
            }
            skipBlanks()
        }
        return String(decoding: content, as: UTF8.self)
    }

    private mutating func escape(into content: inout [UInt8]) throws {
        let place = place
        guard let byte else { throw ConfigurationError(place, "the text has no closing quote") }
        index += 1
        switch byte {
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "a"): content.append(0x07)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "v"): content.append(0x0B)
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "?"): content.append(byte)
        case UInt8(ascii: "x"), UInt8(ascii: "X"): content.append(UInt8(truncatingIfNeeded: try code(16, upTo: 2)))
        case UInt8(ascii: "u"): try append(scalar: try code(16, upTo: 4), place, to: &content)
        case UInt8(ascii: "U"): try append(scalar: try code(16, upTo: 8), place, to: &content)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            index -= 1
            content.append(UInt8(truncatingIfNeeded: try code(8, upTo: 3)))
        default: throw ConfigurationError(place, "the text has an unknown escape '\\\(Self.shown(byte))'")
        }
    }

    private mutating func code(_ radix: UInt32, upTo limit: Int) throws -> UInt32 {
        var value: UInt32 = 0
        var digits = 0
        while digits < limit, let byte, let digit = Character(UnicodeScalar(byte)).hexDigitValue, digit < radix {
            value = value &* radix &+ UInt32(digit)
            index += 1
            digits += 1
        }
        guard digits > 0 else { throw unexpected("a digit") }
        return value
    }

    private func append(scalar code: UInt32, _ place: ConfigurationPlace, to content: inout [UInt8]) throws {
        guard let scalar = UnicodeScalar(code) else { throw ConfigurationError(place, "there is no such character") }
        content.append(contentsOf: Array(String(Character(scalar)).utf8))
    }

    // MARK: Blanks

    private mutating func skipBlanks() {
        while let byte {
            switch byte {
            case UInt8(ascii: "\n"):
                index += 1
                line += 1
                lineStart = index
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), 0x0B, 0x0C: index += 1
            case UInt8(ascii: "#"): while let byte = self.byte, byte != UInt8(ascii: "\n") { index += 1 }
            default: return
            }
        }
    }

    private func unexpected(_ wanted: String) -> ConfigurationError {
        guard let byte else { return ConfigurationError(place, "\(wanted) is missing at the end") }
        return ConfigurationError(place, "\(wanted) is expected, not '\(Self.shown(byte))'")
    }

    private static func shown(_ byte: UInt8) -> String {
        byte > 0x20 && byte < 0x7F ? String(Character(UnicodeScalar(byte))) : "byte \(byte)"
    }
}
