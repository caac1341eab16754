package import ApusJSON
import ApusKernel
package import NIOCore

extension TensorDatatype {
    /// How the elements lie in memory; nil for texts.
    package var layout: JSONNumberLayout? {
        switch self {
        case .bool: .bool
        case .int8: .int8
        case .int16: .int16
        case .int32: .int32
        case .int64: .int64
        case .uint8: .uint8
        case .uint16: .uint16
        case .uint32: .uint32
        case .uint64: .uint64
        case .fp16: .float16
        case .bf16: .bfloat16
        case .fp32: .float
        case .fp64: .double
        case .bytes: nil
        }
    }
}

// MARK: - From JSON

extension Tensor {
    /// Reads a tensor's `data`: an array that is flat, or nested like `shape`, in row-major order.
    ///
    /// Numbers must be of the type: a fraction, or a number out of range, is no whole number of any type. `null` is NaN.
    /// What is allocated is bounded by what was sent, whatever the shape says.
    ///
    /// - Throws: ``ServingError`` `invalid`, which names the first element that is wrong.
    package init(name: String, datatype: TensorDatatype, shape: [Int], json: JSONValue) throws {
        let count = try Self.elementCount(of: shape, name: name)
        guard count <= json.maximumElementCount else { throw Self.wrongCount(name, shape) }
        var bytes = ByteBuffer()
        do {
            if let layout = datatype.layout {
                let length = count * layout.width
                try bytes.writeExactly(length) { target throws(JSONValue.ArrayFault) in
                    try json.copyNumbers(to: target, as: layout, shape: shape)
                }
            } else {
                var length = 0
                try json.forEachText(shape: shape, count: count) { length += 4 + $0.count }
                try bytes.writeExactly(length) { target throws(JSONValue.ArrayFault) in
                    var offset = 0
                    try json.forEachText(shape: shape, count: count) { text in
                        target.storeBytes(of: UInt32(text.count).littleEndian, toByteOffset: offset, as: UInt32.self)
                        UnsafeMutableRawBufferPointer(rebasing: target[(offset + 4)...])
                            .copyMemory(from: UnsafeRawBufferPointer(text))
                        offset += 4 + text.count
                    }
                }
            }
        } catch {
            throw Self.refusal(error, name, datatype, shape)
        }
        self.init(trusted: name, datatype, shape, bytes, elementCount: count)
    }

    private static func wrongCount(_ name: String, _ shape: [Int]) -> ServingError {
        .invalid("The data of tensor '\(name)' has not as many elements as shape \(shape) takes.")
    }

    private static func refusal(
        _ fault: JSONValue.ArrayFault,
        _ name: String,
        _ datatype: TensorDatatype,
        _ shape: [Int]
    ) -> ServingError {
        switch fault {
        case .notAnArray: .invalid("The data of tensor '\(name)' is no array.")
        case .ragged: .invalid("The data of tensor '\(name)' is neither flat nor nested like shape \(shape).")
        case .count: wrongCount(name, shape)
        case .element(let place, let text):
            .invalid("Element \(place) of tensor '\(name)' is \(text), which is no \(datatype.rawValue).")
        }
    }
}

extension ByteBuffer {
    /// Appends `length` bytes that `body` puts there.
    fileprivate mutating func writeExactly<Failure: Error>(
        _ length: Int,
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        try writeWithUnsafeMutableBytes(minimumWritableBytes: length) { target throws(Failure) in
            try body(UnsafeMutableRawBufferPointer(rebasing: target[..<length]))
            return length
        }
    }
}

// MARK: - To JSON

extension ByteBuffer {
    /// Appends a tensor's elements as a flat JSON array.
    ///
    /// With `tokens`, what is not finite becomes `NaN`, `Infinity` or `-Infinity`, which is no JSON, instead of `null`.
    ///
    /// - Throws: ``ServingError`` `invalid` for bytes that are no text.
    package mutating func writeJSONArray(_ tensor: Tensor, tokens: Bool = false) throws {
        writeStaticString("[")
        if let layout = tensor.datatype.layout {
            tensor.bytes.withUnsafeReadableBytes { writeNumbers($0, layout, tokens) }
        } else {
            var isFirst = true
            try tensor.forEachText { text in
                if !isFirst { writeStaticString(",") }
                isFirst = false
                guard writeJSONString(text, isChecked: false) else {
                    throw ServingError.invalid(
                        "Output '\(tensor.name)' has bytes that are no UTF-8, which JSON cannot hold; ask for binary data."
                    )
                }
            }
        }
        writeStaticString("]")
    }

    /// Writes in pieces, so that little more is reserved than is used.
    private mutating func writeNumbers(_ values: UnsafeRawBufferPointer, _ layout: JSONNumberLayout, _ tokens: Bool) {
        let piece = 4096 * layout.width
        var offset = 0
        while offset < values.count {
            if offset > 0 { writeStaticString(",") }
            let part = UnsafeRawBufferPointer(rebasing: values[offset..<min(values.count, offset + piece)])
            let room = part.count / layout.width * JSONNumberText.maximumBytes
            writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
                JSONNumberText.write(part, as: layout, tokens: tokens, to: target)
            }
            offset += piece
        }
    }

    /// Appends a text as a JSON string.
    package mutating func writeJSONString(_ text: String) {
        var text = text
        text.withUTF8 { _ = writeJSONString(UnsafeRawBufferPointer($0), isChecked: true) }
    }

    /// Appends UTF-8 as a JSON string; false, and nothing is appended, when it is none.
    ///
    /// With `isChecked`, it is known to be UTF-8.
    package mutating func writeJSONString(_ text: UnsafeRawBufferPointer, isChecked: Bool) -> Bool {
        var isPlain = true
        var isASCII = true
        for byte in text {
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { isPlain = false }
            if byte >= 0x80 { isASCII = false }
        }
        if !isChecked, !isASCII, String(validating: text, as: UTF8.self) == nil { return false }
        writeStaticString("\"")
        if isPlain { writeBytes(text) } else { writeEscaped(text) }
        writeStaticString("\"")
        return true
    }

    private mutating func writeEscaped(_ text: UnsafeRawBufferPointer) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""): writeStaticString("\\\"")
            case UInt8(ascii: "\\"): writeStaticString("\\\\")
            case 0x0A: writeStaticString("\\n")
            case 0x0D: writeStaticString("\\r")
            case 0x09: writeStaticString("\\t")
            case ..<0x20:
                writeStaticString("\\u00")
                writeInteger(Hexadecimal.digit(byte >> 4))
                writeInteger(Hexadecimal.digit(byte))
            default: writeInteger(byte)
            }
        }
    }
}
