import ApusCommand
import ApusJSON
import NIOCore

/// Writes predictions, one row at a time, as CSV or as one JSON object a line.
struct RowWriter: Sendable {
    enum Format: String, Sendable, CaseIterable {
        case csv, jsonl
    }

    let format: Format
    /// Whether rows begin with what was scored.
    let includesInputs: Bool

    // MARK: Columns

    /// How many values a row has.
    private static func width(_ output: Tensor) -> Int { output.shape.dropFirst().reduce(1, *) }

    /// The first line of CSV.
    func header(inputs: ArraySlice<UInt8>, columns: [String]) -> [UInt8] {
        guard format == .csv else { return [] }
        var line = includesInputs ? Array(inputs) + [UInt8(ascii: ",")] : []
        for (index, column) in columns.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            Self.append(field: Array(column.utf8), to: &line)
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    // MARK: Rows

    /// The rows of an answer, which were looked at once.
    struct Rows: Sendable {
        fileprivate struct Output: Sendable {
            let name: String
            let width: Int
            let datatype: TensorDatatype
            let rowShape: [Int]
            let bytes: ByteBuffer
            /// Where texts begin; empty for anything else.
            let offsets: [Int]

            init(_ output: Tensor) {
                name = output.name.isEmpty ? "prediction" : output.name
                width = RowWriter.width(output)
                datatype = output.datatype
                rowShape = Array(output.shape.dropFirst())
                bytes = output.bytes
                var offsets: [Int] = []
                if output.datatype == .bytes {
                    var offset = output.bytes.readerIndex
                    for _ in 0..<output.elementCount {
                        offsets.append(offset)
                        let length = output.bytes.getInteger(at: offset, endianness: .little, as: UInt32.self) ?? 0
                        offset += 4 + Int(length)
                    }
                }
                self.offsets = offsets
            }
        }

        fileprivate enum Content: Sendable {
            case outputs([Output])
            /// A value of JSON for each row.
            case values([JSON])
        }

        fileprivate let content: Content
        /// What the columns of CSV are called: an output with several values a row has one for each.
        let columns: [String]

        /// - Throws: ``ServingError`` `modelFailed` when the answer does not have one row for each that was asked.
        init(_ response: InferenceResponse, count: Int) throws {
            if let document = response.document {
                guard let json = try? JSON(parsing: Array(document.readableBytesView)), case .array(let values) = json,
                    values.count == count
                else {
                    throw ServingError.modelFailed(
                        "The model does not answer with one value for each of \(count) rows."
                    )
                }
                content = .values(values)
                if case .object(let members)? = values.first {
                    columns = members.map(\.name)
                } else {
                    columns = ["prediction"]
                }
                return
            }
            let outputs = try response.outputs.map { output in
                guard output.rowCount == count else {
                    throw ServingError.modelFailed(
                        "Output '\(output.name)' has shape \(output.shape), not one row for each of \(count) inputs."
                    )
                }
                return Output(output)
            }
            content = .outputs(outputs)
            columns = outputs.flatMap { output in
                output.width == 1 ? [output.name] : (0..<output.width).map { "\(output.name)_\($0)" }
            }
        }
    }

    /// Appends one row.
    func append(
        _ row: Int,
        of rows: Rows,
        columns: [String],
        input: ArraySlice<UInt8>,
        to bytes: inout [UInt8]
    ) {
        switch format {
        case .csv:
            if includesInputs { bytes += input + [UInt8(ascii: ",")] }
            appendFields(row, of: rows, columns, to: &bytes)
            bytes.append(UInt8(ascii: "\n"))
        case .jsonl:
            switch rows.content {
            case .values(let values): appendObject(Array(values[row].compactText.utf8), input: input, to: &bytes)
            case .outputs(let outputs):
                var json = JSONWriter()
                json.object { json in
                    for output in outputs {
                        json.key(text: output.name)
                        var place = row * output.width
                        Self.write(output, output.rowShape[...], &place, to: &json)
                    }
                }
                appendObject(json.bytes, input: input, to: &bytes)
            }
        }
    }

    private func appendFields(_ row: Int, of rows: Rows, _ columns: [String], to bytes: inout [UInt8]) {
        switch rows.content {
        case .outputs(let outputs):
            var isFirst = true
            for output in outputs {
                for place in (row * output.width)..<((row + 1) * output.width) {
                    if !isFirst { bytes.append(UInt8(ascii: ",")) }
                    isFirst = false
                    Self.append(output.value(place), to: &bytes)
                }
            }
        case .values(let values):
            let value = values[row]
            for (index, column) in columns.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                let cell: JSON = if case .object = value { value[column] } else { index == 0 ? value : .null }
                switch cell {
                case .null: break
                case .string(let text): Self.append(field: Array(text.utf8), to: &bytes)
                default: Self.append(field: Array(cell.compactText.utf8), to: &bytes)
                }
            }
        }
    }

    /// Appends the row of an input that could not be scored.
    func appendNull(columns: [String], input: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        switch format {
        case .csv:
            if includesInputs { bytes += input + [UInt8(ascii: ",")] }
            // An empty line would be no row.
            if columns.count == 1, !includesInputs { bytes += [UInt8(ascii: "\""), UInt8(ascii: "\"")] }
            bytes += [UInt8](repeating: UInt8(ascii: ","), count: max(0, columns.count - 1))
            bytes.append(UInt8(ascii: "\n"))
        case .jsonl: appendObject(Array("null".utf8), input: input, to: &bytes)
        }
    }

    /// A line of JSON: the predictions, or the input with them.
    private func appendObject(_ prediction: [UInt8], input: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        if includesInputs, let end = input.lastIndex(of: UInt8(ascii: "}")) {
            bytes += input[..<end]
            let isEmpty = input[..<end].last { $0 > 0x20 } == UInt8(ascii: "{")
            bytes += Array((isEmpty ? "\"prediction\":" : ",\"prediction\":").utf8)
            bytes += prediction
            bytes.append(UInt8(ascii: "}"))
        } else {
            bytes += prediction
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func write(
        _ output: Rows.Output,
        _ shape: ArraySlice<Int>,
        _ place: inout Int,
        to json: inout JSONWriter
    ) {
        // A column of one is a value.
        guard let length = shape.first, output.width != 1 || shape.count > 1 else {
            output.value(place).write(to: &json)
            place += 1
            return
        }
        json.beginArray()
        for _ in 0..<length { write(output, shape.dropFirst(), &place, to: &json) }
        json.endArray()
    }

    // MARK: Values

    fileprivate enum Value {
        case nothing
        case bool(Bool)
        case integer(Int64)
        case unsigned(UInt64)
        case float(Float)
        case double(Double)
        case text([UInt8])

        func write(to json: inout JSONWriter) {
            switch self {
            case .nothing: json.null()
            case .bool(let value): json.bool(value)
            case .integer(let value): json.integer(value)
            case .unsigned(let value): json.raw(json: Array("\(value)".utf8))
            // As short as a float can be written, not as its double.
            case .float(let value): value.isFinite ? json.raw(json: Array("\(value)".utf8)) : json.null()
            case .double(let value): value.isFinite ? json.raw(json: Array("\(value)".utf8)) : json.null()
            case .text(let bytes): json.string(String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    private static func append(_ value: Value, to bytes: inout [UInt8]) {
        switch value {
        case .nothing: break
        case .bool(let value): bytes += Array((value ? "true" : "false").utf8)
        case .integer(let value): bytes += Array("\(value)".utf8)
        case .unsigned(let value): bytes += Array("\(value)".utf8)
        case .float(let value): if !value.isNaN { bytes += Array("\(value)".utf8) }
        case .double(let value): if !value.isNaN { bytes += Array("\(value)".utf8) }
        case .text(let text): append(field: text, to: &bytes)
        }
    }

    private static func append(field text: [UInt8], to bytes: inout [UInt8]) {
        let needsQuotes =
            text.isEmpty
            || text.contains {
                [UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains($0)
            }
        guard needsQuotes else { return bytes += text }
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension RowWriter.Rows.Output {
    fileprivate func value(_ place: Int) -> RowWriter.Value {
        func number<Element: FixedWidthInteger>(_: Element.Type) -> Element {
            bytes.getInteger(at: bytes.readerIndex + place * MemoryLayout<Element>.size, endianness: .little) ?? 0
        }
        switch datatype {
        case .bool: return .bool(number(UInt8.self) != 0)
        case .int8: return .integer(Int64(number(Int8.self)))
        case .int16: return .integer(Int64(number(Int16.self)))
        case .int32: return .integer(Int64(number(Int32.self)))
        case .int64: return .integer(number(Int64.self))
        case .uint8: return .unsigned(UInt64(number(UInt8.self)))
        case .uint16: return .unsigned(UInt64(number(UInt16.self)))
        case .uint32: return .unsigned(UInt64(number(UInt32.self)))
        case .uint64: return .unsigned(number(UInt64.self))
        case .fp32: return .float(Float(bitPattern: number(UInt32.self)))
        case .fp64: return .double(Double(bitPattern: number(UInt64.self)))
        case .bf16: return .float(Float(bitPattern: UInt32(number(UInt16.self)) << 16))
        case .fp16: return .float(Float(halfBits: number(UInt16.self)))
        case .bytes:
            guard offsets.indices.contains(place),
                let length = bytes.getInteger(at: offsets[place], endianness: .little, as: UInt32.self)
            else { return .nothing }
            return .text(bytes.getBytes(at: offsets[place] + 4, length: Int(length)) ?? [])
        }
    }
}

extension Float {
    /// The value of an IEEE half; written out because the type is not there on every processor.
    fileprivate init(halfBits bits: UInt16) {
        let exponent = Int(bits >> 10 & 0x1F)
        let fraction = Float(bits & 0x3FF)
        let magnitude: Float =
            switch exponent {
            case 0: fraction * 0x1p-24
            case 31: fraction == 0 ? .infinity : .nan
            default: (1 + fraction * 0x1p-10) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
            }
        self = bits & 0x8000 == 0 ? magnitude : -magnitude
    }
}
