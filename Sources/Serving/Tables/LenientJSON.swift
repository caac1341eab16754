import ApusJSON
import NIOCore

/// Parses JSON, and what Python and TensorFlow write in its place: bare `NaN`, `Infinity`, `-Infinity`, and whole
/// numbers of any length.
///
/// What is JSON costs nothing more; else the text is written anew, with a text of two bytes for each number that JSON
/// cannot hold (``SpecialNumber``), and a fraction behind whole numbers that no 64 bits hold.
enum LenientJSON {
    /// - Throws: ``JSONDocument/SyntaxError``.
    static func document(_ buffer: ByteBuffer) throws -> JSONDocument {
        try buffer.withUnsafeReadableBytes { bytes in
            do {
                return try JSONDocument(parsing: bytes)
            } catch {
                guard let rewritten = rewritten(bytes) else { throw error }
                return try rewritten.withUnsafeBytes { try JSONDocument(parsing: $0) }
            }
        }
    }

    /// The text with its special numbers replaced; nil when it has none.
    private static func rewritten(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 4)
        var isChanged = false
        var offset = 0
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                let end = endOfString(bytes, from: offset)
                result.append(contentsOf: bytes[offset..<end])
                offset = end
            } else if let (word, number) = words.first(where: { starts(bytes, offset, $0.0) }) {
                result.append(contentsOf: "\"\\u0000".utf8)
                result.append(number.rawValue)
                result.append(UInt8(ascii: "\""))
                offset += word.utf8CodeUnitCount
                isChanged = true
            } else if isDigit(byte) {
                var end = offset
                while end < bytes.count, isDigit(bytes[end]) { end += 1 }
                result.append(contentsOf: bytes[offset..<end])
                let goesOn =
                    end < bytes.count && [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(bytes[end])
                if end - offset >= 20, !goesOn, !isFraction(bytes, before: offset) {
                    result.append(contentsOf: ".0".utf8)
                    isChanged = true
                }
                offset = end
            } else {
                result.append(byte)
                offset += 1
            }
        }
        return isChanged ? result : nil
    }

    private static let words: [(StaticString, SpecialNumber)] = [
        ("NaN", .nan), ("Infinity", .infinity), ("-Infinity", .minusInfinity),
    ]

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    /// Whether digits at an offset are no whole number, but the fraction or exponent of one.
    private static func isFraction(_ bytes: UnsafeRawBufferPointer, before offset: Int) -> Bool {
        guard offset > 0 else { return false }
        let byte = bytes[offset - 1]
        if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") { return true }
        guard byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"), offset > 1 else { return false }
        return bytes[offset - 2] == UInt8(ascii: "e") || bytes[offset - 2] == UInt8(ascii: "E")
    }

    private static func starts(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ word: StaticString) -> Bool {
        guard bytes[offset] == word.utf8Start[0], bytes.count - offset >= word.utf8CodeUnitCount else { return false }
        for index in 0..<word.utf8CodeUnitCount where bytes[offset + index] != word.utf8Start[index] { return false }
        return true
    }

    /// Behind the closing quote.
    private static func endOfString(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var offset = start + 1
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "\\"): offset += 2
            case UInt8(ascii: "\""): return offset + 1
            default: offset += 1
            }
        }
        return bytes.count
    }
}
