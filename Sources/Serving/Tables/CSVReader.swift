import ApusKernel
import NIOCore

/// Reads a table from CSV as pandas' `read_csv` does: a header, quotes, blank lines, and its spellings of nothing.
///
/// A row with more fields than the header is refused; pandas takes its first fields for an index and shifts the rest.
struct CSVReader {
    /// More columns than that are refused.
    private static let maximumColumns = 65536
    /// More values than that are refused: each takes far more memory than its text.
    private static let maximumValues = 1 << 22
    private static let nothing: Set<String> = [
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
        "NULL", "NaN", "None", "n/a", "nan", "null",
    ]

    private let bytes: UnsafeRawBufferPointer
    private let isText: (String) -> Bool
    private var offset = 0

    /// Reads a table; `isText` tells whether a column is text whatever it looks like.
    ///
    /// - Throws: ``ServingError`` `badRequest` for what is no CSV in UTF-8.
    static func table(_ buffer: ByteBuffer, isText: (String) -> Bool = { _ in false }) throws -> CellTable {
        try withoutActuallyEscaping(isText) { isText in
            try buffer.withUnsafeReadableBytes { try table($0, isText) }
        }
    }

    private static func table(_ bytes: UnsafeRawBufferPointer, _ isText: @escaping (String) -> Bool) throws -> CellTable
    {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw ServingError(.badRequest, "Invalid input. Ensure that input is a valid UTF-8 encoded string.")
        }
        var reader = CSVReader(bytes, isText)
        return try reader.table()
    }

    private init(_ bytes: UnsafeRawBufferPointer, _ isText: @escaping (String) -> Bool) {
        self.bytes = bytes
        self.isText = isText
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    }

    private static func refusal(_ message: String) -> ServingError {
        ServingError(
            .badRequest,
            "Failed to parse input as a Pandas DataFrame. Ensure that the input is a valid CSV-formatted Pandas DataFrame "
                + "produced using the `pandas.DataFrame.to_csv()` method. Error: \(message)"
        )
    }

    /// A field, in place or, when quotes in it are doubled, a text of its own.
    private struct Field {
        var bytes: Range<Int>
        var text: [UInt8]?
        var isQuoted = false
    }

    private mutating func table() throws -> CellTable {
        guard let header = try record() else { throw Self.refusal("No columns to parse from file") }
        var names: [String] = []
        var counts: [String: Int] = [:]
        for (index, field) in header.enumerated() {
            let text = string(field)
            let name = text.isEmpty ? "Unnamed: \(index)" : text
            let seen = counts[name, default: 0]
            counts[name] = seen + 1
            names.append(seen == 0 ? name : "\(name).\(seen)")
        }
        var rows: [Field] = []
        var rowCount = 0
        while let fields = try record() {
            guard fields.count <= names.count else {
                throw Self.refusal("Row \(rowCount + 1) has \(fields.count) fields, and the header has \(names.count).")
            }
            rows += fields
            for _ in fields.count..<names.count { rows.append(Field(bytes: 0..<0)) }
            guard rows.count <= Self.maximumValues else {
                throw Self.refusal("There are more than \(Self.maximumValues) values.")
            }
            rowCount += 1
        }
        return try CellTable(csv: names, rowCount: rowCount, cells: cells(rows, names, rowCount: rowCount))
    }

    /// The fields of the next line that is not blank; nil at the end.
    private mutating func record() throws -> [Field]? {
        while offset < bytes.count, bytes[offset] == 0x0A || bytes[offset] == 0x0D { offset += 1 }
        guard offset < bytes.count else { return nil }
        var fields: [Field] = []
        while true {
            fields.append(try field())
            guard fields.count <= Self.maximumColumns else { throw Self.refusal("There are too many columns.") }
            guard offset < bytes.count else { return fields }
            let end = bytes[offset]
            offset += 1
            if end == UInt8(ascii: ",") {
                // A comma at the very end starts one more field.
                if offset == bytes.count { fields.append(Field(bytes: 0..<0)) }
                if offset == bytes.count { return fields }
                continue
            }
            if end == 0x0D, offset < bytes.count, bytes[offset] == 0x0A { offset += 1 }
            return fields
        }
    }

    /// Reads up to a comma or the end of the line, and stays there.
    private mutating func field() throws -> Field {
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else {
            let start = offset
            while offset < bytes.count, ![0x2C, 0x0A, 0x0D].contains(bytes[offset]) { offset += 1 }
            return Field(bytes: start..<offset)
        }
        offset += 1
        var text: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            guard byte == UInt8(ascii: "\"") else {
                text.append(byte)
                continue
            }
            guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else {
                // What stands behind the closing quote belongs to the field, as in pandas.
                while offset < bytes.count, ![0x2C, 0x0A, 0x0D].contains(bytes[offset]) {
                    text.append(bytes[offset])
                    offset += 1
                }
                return Field(bytes: 0..<0, text: text, isQuoted: true)
            }
            text.append(byte)
            offset += 1
        }
        throw Self.refusal("A quoted field has no end.")
    }

    private func string(_ field: Field) -> String {
        if let text = field.text { return String(decoding: text, as: UTF8.self) }
        return String(decoding: bytes[field.bytes], as: UTF8.self)
    }

    // MARK: Types

    /// Keeps the texts of a table's cells, each its length and bytes.
    private final class Texts {
        let start: UnsafeMutableRawPointer
        private var used = 0

        init(capacity: Int) {
            start = .allocate(byteCount: max(1, capacity), alignment: 8)
        }

        deinit { start.deallocate() }

        /// The address of the text that was added.
        func add(_ text: String) -> UInt64 {
            let place = start + used
            var text = text
            text.withUTF8 { bytes in
                place.storeBytes(of: UInt32(clamping: bytes.count).littleEndian, as: UInt32.self)
                (place + 4).copyMemory(
                    from: bytes.baseAddress ?? UnsafePointer(place.assumingMemoryBound(to: UInt8.self)),
                    byteCount: bytes.count
                )
                used += 4 + bytes.count
            }
            return UInt64(UInt(bitPattern: place))
        }
    }

    /// Gives each column one kind: whole numbers, numbers, truth values or texts.
    private func cells(_ fields: [Field], _ names: [String], rowCount: Int) -> Cells {
        var capacity = 0
        for field in fields { capacity += 4 + (field.text?.count ?? field.bytes.count) }
        let texts = Texts(capacity: capacity)
        let cells = Cells(count: fields.count, owner: texts)
        for (column, name) in names.enumerated() {
            let values = (0..<rowCount).map { string(fields[$0 * names.count + column]) }
            let present = values.filter { !Self.nothing.contains($0) }
            let kind = isText(name) ? .text : Self.kind(present)
            for (row, value) in values.enumerated() where !Self.nothing.contains(value) {
                let place = column * rowCount + row
                switch kind {
                case .integer:
                    cells.set(place, .integer, UInt64(bitPattern: Self.trimmed(value).flatMap { Int64($0) } ?? 0))
                case .double: cells.set(place, .double, (Self.number(value) ?? .nan).bitPattern)
                case .bool: cells.set(place, .bool, Self.truth(value) ?? false ? 1 : 0)
                default: cells.set(place, .text, texts.add(value))
                }
            }
        }
        return cells
    }

    private static func kind(_ values: [String]) -> Cells.Kind {
        guard !values.isEmpty else { return .null }
        if values.allSatisfy({ trimmed($0).flatMap { Int64($0) } != nil }) { return .integer }
        if values.allSatisfy({ number($0) != nil }) { return .double }
        if values.allSatisfy({ truth($0) != nil }) { return .bool }
        return .text
    }

    /// Without blanks before and behind; nil when nothing else is there.
    private static func trimmed(_ text: String) -> Substring? {
        let start = text.drop { $0 == " " || $0 == "\t" }
        guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return nil }
        return start[...last]
    }

    private static func number(_ text: String) -> Double? {
        guard let text = trimmed(text) else { return nil }
        switch text.lowercased() {
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        default: return text.contains { "xXpPnN".contains($0) } ? nil : Double(text)
        }
    }

    private static func truth(_ text: String) -> Bool? {
        switch text {
        case "True", "TRUE", "true": true
        case "False", "FALSE", "false": false
        default: nil
        }
    }
}
