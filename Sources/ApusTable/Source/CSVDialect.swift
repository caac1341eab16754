/// How a file of values divided by a character is read.
///
/// It is told from the first row, never from a sample, so that a damaged row further on is found to be damaged and does
/// not make another table of the file.
struct CSVDialect: Sendable, Equatable {
    let delimiter: UInt8
    let hasHeader: Bool
    /// Unique, whatever their case.
    let names: [String]

    /// The most columns of a table.
    static let columnLimit = 10_000

    /// Nil if there is no row, or too many columns.
    ///
    /// - Parameters:
    ///   - head: The first lines.
    ///   - delimiter: Nil to take whichever of comma, semicolon, tabulator and bar the first row has most of.
    init?(head: String, delimiter: UInt8? = nil) {
        var bytes = Array(head.utf8)[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        while let first = bytes.first, first == 0x0A || first == 0x0D { bytes = bytes.dropFirst() }
        guard !bytes.isEmpty else { return nil }
        let delimiter = delimiter ?? Self.delimiter(bytes)
        let fields = Self.firstRow(bytes, delimiter)
        guard fields.count <= Self.columnLimit else { return nil }
        self.delimiter = delimiter
        hasHeader = Self.isHeader(fields)
        names = Self.unique(hasHeader ? fields : fields.map { _ in "" })
    }

    private static func delimiter(_ bytes: ArraySlice<UInt8>) -> UInt8 {
        let candidates = [UInt8(ascii: ","), UInt8(ascii: ";"), 0x09, UInt8(ascii: "|")]
        var counts = [0, 0, 0, 0]
        var isQuoted = false
        for byte in bytes {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if isQuoted { continue }
            if byte == 0x0A || byte == 0x0D { break }
            if let place = candidates.firstIndex(of: byte) { counts[place] += 1 }
        }
        // The first one of those that come most often.
        let best = counts.indices.reduce(0) { counts[$1] > counts[$0] ? $1 : $0 }
        return candidates[best]
    }

    private static func firstRow(_ bytes: ArraySlice<UInt8>, _ delimiter: UInt8) -> [String] {
        var fields: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        for byte in bytes {
            if byte == UInt8(ascii: "\"") {
                // A doubled quote closes and opens again, and is one character of the value.
                if !isQuoted, field.last == UInt8(ascii: "\"") || !field.isEmpty { field.append(byte) }
                isQuoted.toggle()
                continue
            }
            if !isQuoted, byte == 0x0A || byte == 0x0D { break }
            if !isQuoted, byte == delimiter {
                fields.append(String(decoding: field, as: UTF8.self))
                field.removeAll()
            } else {
                field.append(byte)
            }
        }
        fields.append(String(decoding: field, as: UTF8.self))
        return fields
    }

    /// Names are words: a first row with an empty value, a number or a date is data already.
    private static func isHeader(_ fields: [String]) -> Bool {
        if fields.count == 1 { return Double(fields[0]) == nil && !fields[0].isEmpty }
        let isData = fields.enumerated().contains { place, field in
            // Frames are written with an unnamed first column for the index.
            if field.isEmpty { return place > 0 && fields.filter(\.isEmpty).count > fields.count / 2 }
            guard Double(field) == nil else { return true }
            let digits = field.utf8.filter { 0x30...0x39 ~= $0 }.count
            return field.utf8.count >= 8 && digits * 2 > field.utf8.count
                && field.utf8.first.map { 0x30...0x39 ~= $0 } == true
        }
        return !isData
    }

    /// Names that no two columns share; DuckDB does not tell cases apart.
    static func unique(_ names: [String]) -> [String] {
        var taken: Set<String> = ["__row"]
        return names.enumerated().map { place, name in
            let base = name.isEmpty ? "column\(place)" : name
            var candidate = base
            var number = 1
            while !taken.insert(candidate.lowercased()).inserted {
                candidate = "\(base)_\(number)"
                number += 1
            }
            return candidate
        }
    }
}
