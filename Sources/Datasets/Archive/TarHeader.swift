import ApusKernel

/// The blocks that tell of an entry of a tar archive, in the POSIX format of 2001, which all programs read.
///
/// - SeeAlso: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
package enum TarHeader {
    /// An archive is made of blocks of so many bytes.
    static let blockBytes = 512
    /// What the archive ends with.
    package static let end = [UInt8](repeating: 0, count: 2 * blockBytes)

    /// Bytes that fill the last block of a content.
    package static func padding(of sizeBytes: Int64) -> Int {
        Int((Int64(blockBytes) - sizeBytes % Int64(blockBytes)) % Int64(blockBytes))
    }

    // MARK: Writing

    /// The blocks before an entry's content; times and owners are left out, so that equal files make equal archives.
    package static func blocks(of entry: TarEntry) -> [UInt8] {
        var records: [UInt8] = []
        if entry.name.utf8.count > 100 || !entry.name.utf8.allSatisfy({ $0 < 0x80 }) {
            records += record("path", entry.name)
        }
        if entry.sizeBytes > maximumOctal { records += record("size", String(entry.sizeBytes)) }
        let header = block(name: entry.name, sizeBytes: entry.sizeBytes, mode: entry.isExecutable ? 0o755 : 0o644, "0")
        guard !records.isEmpty else { return header }
        let padded = records + [UInt8](repeating: 0, count: padding(of: Int64(records.count)))
        return block(name: "attributes", sizeBytes: Int64(records.count), mode: 0o644, "x") + padded + header
    }

    /// The largest size that eleven octal digits tell.
    private static let maximumOctal: Int64 = 0o77777777777

    /// `25 path=…` with its end of line; the number counts its own digits.
    private static func record(_ key: String, _ value: String) -> [UInt8] {
        let rest = " \(key)=\(value)\n"
        var count = rest.utf8.count + 1
        while "\(count)".utf8.count + rest.utf8.count != count { count = "\(count)".utf8.count + rest.utf8.count }
        return Array("\(count)\(rest)".utf8)
    }

    private static func block(name: String, sizeBytes: Int64, mode: Int, _ kind: Unicode.Scalar) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockBytes)
        func put(_ text: String, _ offset: Int, _ room: Int) {
            for (position, byte) in text.utf8.prefix(room).enumerated() { block[offset + position] = byte }
        }
        func put(octal number: Int64, _ offset: Int, _ digits: Int) {
            let text = String(number, radix: 8)
            put(String(repeating: "0", count: max(0, digits - text.utf8.count)) + text, offset, digits)
        }
        put(name, 0, 100)
        put(octal: Int64(mode), 100, 7)
        put(octal: 0, 108, 7)
        put(octal: 0, 116, 7)
        put(octal: min(sizeBytes, maximumOctal), 124, 11)
        put(octal: 0, 136, 11)
        put("        ", 148, 8)
        block[156] = UInt8(ascii: kind)
        put("ustar", 257, 5)
        put("00", 263, 2)
        put(octal: Int64(checksum(block[...])), 148, 6)
        block[154] = 0
        return block
    }

    // MARK: Reading

    /// What a header says, before the records that may precede it are looked at.
    struct Fields {
        let name: String
        let sizeBytes: Int64
        let mode: Int64
        let kind: UInt8
    }

    /// Reads a header of `blockBytes` bytes; nil for a block of zeros, which ends the archive.
    ///
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE`.
    static func fields(of block: ArraySlice<UInt8>) throws -> Fields? {
        guard block.count == blockBytes, block.contains(where: { $0 != 0 }) else { return nil }
        let first = block.startIndex
        guard try number(block[(first + 148)..<(first + 156)]) == Int64(checksum(block)) else {
            throw damaged("a header has another checksum")
        }
        var name = try text(block[first..<(first + 100)])
        if block[(first + 257)..<(first + 263)].elementsEqual(Array("ustar\0".utf8)) {
            let prefix = try text(block[(first + 345)..<(first + 500)])
            if !prefix.isEmpty { name = "\(prefix)/\(name)" }
        }
        return Fields(
            name: name,
            sizeBytes: try number(block[(first + 124)..<(first + 136)]),
            mode: try number(block[(first + 100)..<(first + 108)]),
            kind: block[first + 156]
        )
    }

    /// The records of an entry of attributes, the last of each key.
    ///
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE`.
    static func records(_ bytes: ArraySlice<UInt8>) throws -> [String: String] {
        var records: [String: String] = [:]
        var rest = bytes
        while let space = rest.firstIndex(of: UInt8(ascii: " ")) {
            guard space - rest.startIndex <= 9, let count = Int(String(decoding: rest[..<space], as: UTF8.self)),
                count > space - rest.startIndex + 1, count <= rest.count,
                rest[rest.startIndex + count - 1] == UInt8(ascii: "\n")
            else { throw damaged("an attribute has another length than it says") }
            let record = rest[(space + 1)..<(rest.startIndex + count - 1)]
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                throw damaged("an attribute has no value")
            }
            records[try text(record[..<equals])] = try text(record[(equals + 1)...])
            rest = rest[(rest.startIndex + count)...]
        }
        guard rest.isEmpty else { throw damaged("an attribute has no length") }
        return records
    }

    static func damaged(_ why: String) -> RequestError { .invalid("The tar archive is damaged: \(why).") }

    /// The sum of the header's bytes, with blanks in place of the sum.
    private static func checksum(_ block: ArraySlice<UInt8>) -> Int {
        let field = (block.startIndex + 148)..<(block.startIndex + 156)
        return block.reduce(0) { $0 + Int($1) } - block[field].reduce(0) { $0 + Int($1) } + 8 * 0x20
    }

    /// A text up to its first zero.
    static func text(_ bytes: ArraySlice<UInt8>) throws -> String {
        guard let text = String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self) else {
            throw damaged("a name is not in UTF-8")
        }
        return text
    }

    /// Octal digits, or a binary number, as GNU's programs write large ones.
    private static func number(_ field: ArraySlice<UInt8>) throws -> Int64 {
        if let first = field.first, first & 0x80 != 0 {
            var value: Int64 = first == 0x80 ? 0 : -1
            for byte in field.dropFirst() {
                guard value >= 0, value >> 55 == 0 else { throw damaged("a number is too large") }
                value = value << 8 | Int64(byte)
            }
            return value
        }
        var value: Int64 = 0
        for byte in field.drop(while: { $0 == 0x20 }).prefix(while: { $0 != 0 && $0 != 0x20 }) {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "7") else {
                throw damaged("a number has other digits than octal ones")
            }
            value = value << 3 | Int64(byte & 7)
        }
        return value
    }
}
