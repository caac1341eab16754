/// Values as CSV and JSON have them, appended to bytes.
enum ForeignText {
    /// Appends a text as a field of CSV; an empty one in quotes, since nothing stands for NULL.
    static func appendCSV(_ text: UnsafeRawBufferPointer, to line: inout [UInt8]) {
        let isPlain =
            !text.isEmpty && !text.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
            // Readers that trim would change it.
            && text.first != 0x20 && text.last != 0x20
        guard !isPlain else { return line.append(contentsOf: text) }
        line.append(0x22)
        for byte in text {
            if byte == 0x22 { line.append(0x22) }
            line.append(byte)
        }
        line.append(0x22)
    }

    /// Appends a text as a JSON string; the bytes are UTF-8.
    static func appendJSON(_ text: UnsafeRawBufferPointer, to line: inout [UInt8]) {
        line.append(0x22)
        for byte in text {
            switch byte {
            case 0x22, 0x5C:
                line.append(0x5C)
                line.append(byte)
            case 0..<0x20:
                line.append(contentsOf: [0x5C, 0x75, 0x30, 0x30])
                appendHexadecimal(byte, to: &line)
            default: line.append(byte)
            }
        }
        line.append(0x22)
    }

    /// Appends bytes as PostgreSQL writes them, such as `\x00ff`.
    static func appendHexadecimal(_ bytes: UnsafeRawBufferPointer, to line: inout [UInt8]) {
        for byte in bytes { appendHexadecimal(byte, to: &line) }
    }

    private static func appendHexadecimal(_ byte: UInt8, to line: inout [UInt8]) {
        for nibble in [byte >> 4, byte & 15] { line.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble) }
    }

    /// Takes away the escapes of PostgreSQL's text format from a line that holds one JSON value.
    ///
    /// Ends of lines between a value's parts, which a `json` column keeps, become blanks, so that the line stays one.
    static func unescapeCopiedJSON(_ row: UnsafeRawBufferPointer, to line: inout [UInt8]) {
        var isEscaped = false
        for byte in row {
            if isEscaped {
                isEscaped = false
                switch byte {
                case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                    UInt8(ascii: "v"):
                    line.append(0x20)
                default: line.append(byte)
                }
            } else if byte == 0x5C {
                isEscaped = true
            } else {
                line.append(byte)
            }
        }
    }
}
