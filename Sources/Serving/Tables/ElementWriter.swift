import ApusJSON
import ApusQuery
import NIOCore

/// Writes a tensor's elements as JSON, one after the other.
///
/// NaN and the infinities are written bare, as Python and TensorFlow Serving do.
struct ElementWriter {
    /// How the elements are written.
    struct Style {
        /// Whether a 32-bit number is written with all digits of the 64-bit number that it is read as, as Python does.
        var widensFloats = false
        /// Whether texts are written as `{"b64": …}`.
        var isBase64 = false
    }

    private let datatype: TensorDatatype
    private let style: Style
    private var rest: ByteBuffer

    init(_ tensor: Tensor, style: Style) {
        datatype = tensor.datatype
        rest = tensor.bytes
        self.style = style
    }

    /// Writes the next element.
    mutating func writeNext(to json: inout JSONWriter) {
        switch datatype {
        case .fp32:
            let value = Float(bitPattern: read(UInt32.self))
            if style.widensFloats { json.number(Double(value)) } else { json.number(value) }
        case .fp64: json.number(Double(bitPattern: read(UInt64.self)))
        case .int64: json.integer(read(Int64.self))
        case .int32: json.integer(Int64(read(Int32.self)))
        case .int16: json.integer(Int64(read(Int16.self)))
        case .int8: json.integer(Int64(read(Int8.self)))
        case .uint64:
            let value = read(UInt64.self)
            if let value = Int64(exactly: value) { json.integer(value) } else { json.raw(json: "\(value)".utf8) }
        case .uint32: json.integer(Int64(read(UInt32.self)))
        case .uint16: json.integer(Int64(read(UInt16.self)))
        case .uint8: json.integer(Int64(read(UInt8.self)))
        case .bool: json.bool(read(UInt8.self) != 0)
        case .fp16: json.number(Double(HalfFloat.value(read(UInt16.self))))
        case .bf16: json.number(Double(Float(bitPattern: UInt32(read(UInt16.self)) << 16)))
        case .bytes: writeText(to: &json)
        }
    }

    private mutating func read<Number: FixedWidthInteger>(_: Number.Type) -> Number {
        rest.readInteger(endianness: .little) ?? 0
    }

    private mutating func writeText(to json: inout JSONWriter) {
        let length = Int(read(UInt32.self))
        guard let bytes = rest.readSlice(length: length) else { return json.null() }
        if style.isBase64 {
            json.object { json in
                json.key("b64")
                json.string(Base64Text.encode(bytes.readableBytesView))
            }
        } else if let text = String(validating: bytes.readableBytesView, as: UTF8.self) {
            json.string(text)
        } else {
            json.string(Base64Text.encode(bytes.readableBytesView))
        }
    }

    /// Writes elements as nested lists of a shape; of no dimensions, the element alone.
    mutating func write(shape: ArraySlice<Int>, to json: inout JSONWriter) {
        guard let length = shape.first else { return writeNext(to: &json) }
        json.beginArray()
        for _ in 0..<length { write(shape: shape.dropFirst(), to: &json) }
        json.endArray()
    }
}

extension Tensor {
    /// Writes the elements as nested lists.
    func write(to json: inout JSONWriter, style: ElementWriter.Style) {
        var writer = ElementWriter(self, style: style)
        writer.write(shape: shape[...], to: &json)
    }
}

extension JSONWriter {
    /// Writes a number; NaN and the infinities bare, which is no JSON.
    mutating func number(_ value: Double) {
        guard value.isFinite else { return special(isNaN: value.isNaN, isNegative: value < 0) }
        double(value)
    }

    /// Writes the shortest number that is read as the same 32-bit number.
    mutating func number(_ value: Float) {
        guard value.isFinite else { return special(isNaN: value.isNaN, isNegative: value < 0) }
        var text = value.description
        text.withUTF8 { raw(json: $0) }
    }

    private mutating func special(isNaN: Bool, isNegative: Bool) {
        raw(json: (isNaN ? "NaN" : isNegative ? "-Infinity" : "Infinity").utf8)
    }
}
