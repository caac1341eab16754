package import ApusSketch
import ApusTable

/// Profiles are stored as sketches are: each part with its own version, and a checksum over all.
extension TableProfile: Sketch {
    package static let kind: UInt8 = 32
    package static let version: UInt8 = 1
    /// The most columns, and bytes of a text, that are read.
    static let columnLimit = 10_000
    static let textLimit = 1 << 20

    package func write(to writer: inout SketchWriter) {
        writer.count(rowCount)
        writer.count(columns.count)
        for column in columns { column.write(to: &writer) }
        writer.count(sampleColumns.count)
        for name in sampleColumns { writer.text(name) }
        writer.sketch(sample)
    }

    package init(reading reader: inout SketchReader) throws(SketchError) {
        rowCount = try reader.count("rows")
        for _ in 0..<(try reader.count("columns", limit: Self.columnLimit)) {
            let column = try ColumnProfile(reading: &reader)
            guard column.count == rowCount else { throw .damaged("count") }
            columns.append(column)
        }
        for _ in 0..<(try reader.count("sample columns", limit: columns.count)) {
            sampleColumns.append(try reader.text())
        }
        sample = try reader.sketch()
        guard sample.elements.allSatisfy({ $0.count == sampleColumns.count }) else { throw .damaged("sample") }
    }

    /// Whether both would write the same bytes: NaN stands for what is missing in the sample, and equals itself.
    package static func == (left: TableProfile, right: TableProfile) -> Bool { left.encoded == right.encoded }
}

extension ColumnProfile {
    func write(to writer: inout SketchWriter) {
        writer.text(name)
        writer.text(type.rawValue)
        writer.text(sqlType)
        for number in [count, missing, nanCount, infiniteCount, zeroCount, negativeCount, emptyCount] {
            writer.count(number)
        }
        writer.value(minimum)
        writer.value(maximum)
        writer.sketch(distinct)
        writer.optional(moments)
        writer.optional(quantiles)
        writer.optional(frequent)
        writer.optional(lengths)
    }

    init(reading reader: inout SketchReader) throws(SketchError) {
        let name = try reader.text()
        guard let type = ColumnType(rawValue: try reader.text()) else { throw .damaged("type") }
        self.init(name: name, type: type, sqlType: try reader.text())
        count = try reader.count("count")
        missing = try reader.count("missing", limit: count)
        let present = count - missing
        nanCount = try reader.count("NaN", limit: present)
        infiniteCount = try reader.count("infinities", limit: present)
        zeroCount = try reader.count("zeros", limit: present)
        negativeCount = try reader.count("negatives", limit: present)
        emptyCount = try reader.count("empty", limit: present)
        minimum = try reader.value()
        maximum = try reader.value()
        distinct = try reader.sketch()
        moments = try reader.optional()
        quantiles = try reader.optional()
        frequent = try reader.optional()
        lengths = try reader.optional()
    }
}

extension SketchWriter {
    fileprivate mutating func text(_ text: String) {
        writeBytes(Array(text.utf8))
    }

    private mutating func writeBytes(_ bytes: [UInt8]) {
        count(bytes.count)
        raw(bytes)
    }

    /// A sketch with its own version and checksum.
    fileprivate mutating func sketch(_ sketch: some Sketch) { writeBytes(sketch.encoded) }

    fileprivate mutating func optional<S: Sketch>(_ sketch: S?) { writeBytes(sketch?.encoded ?? []) }

    fileprivate mutating func value(_ value: TableValue?) {
        switch value {
        case nil, .null: byte(0)
        case .boolean(let value): raw([1, value ? 1 : 0])
        case .integer(let value):
            byte(2)
            word(UInt64(bitPattern: value))
        case .number(let value):
            byte(3)
            double(value)
        case .text(let value):
            byte(4)
            text(value)
        }
    }
}

extension SketchReader {
    fileprivate mutating func text() throws(SketchError) -> String {
        let bytes = try lengthAndBytes(TableProfile.textLimit)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .damaged("text") }
        return text
    }

    private mutating func lengthAndBytes(_ limit: Int = 1 << 28) throws(SketchError) -> ArraySlice<UInt8> {
        let length = try count("length", limit: limit)
        return try raw(length)
    }

    fileprivate mutating func sketch<S: Sketch>() throws(SketchError) -> S {
        try S(decoding: Array(try lengthAndBytes()))
    }

    fileprivate mutating func optional<S: Sketch>() throws(SketchError) -> S? {
        let bytes = try lengthAndBytes()
        return bytes.isEmpty ? nil : try S(decoding: Array(bytes))
    }

    fileprivate mutating func value() throws(SketchError) -> TableValue? {
        switch try byte() {
        case 0: return nil
        case 1: return .boolean(try byte() == 1)
        case 2: return .integer(Int64(bitPattern: try word()))
        case 3: return .number(try double())
        case 4: return .text(try text())
        default: throw .damaged("value")
        }
    }
}
