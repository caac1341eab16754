import NIOCore

/// An entry of a `map<string, InferParameter>`.
struct InferenceParameter {
    var key = ""
    var value = ParameterValue.bool(false)

    init(_ entry: ProtobufReader) throws {
        var reader = entry
        while let (number, wire) = try reader.nextField() {
            switch number {
            case 1: key = try reader.string(wire)
            case 2: value = try Self.value(reader.message(wire))
            default: try reader.skip(wire)
            }
        }
    }

    private static func value(_ message: ProtobufReader) throws -> ParameterValue {
        var reader = message
        var value = ParameterValue.bool(false)
        while let (number, wire) = try reader.nextField() {
            switch (number, wire) {
            case (1, .varint): value = .bool(try reader.varint() != 0)
            case (2, .varint): value = .integer(Int64(bitPattern: try reader.varint()))
            case (3, .lengthDelimited): value = .string(try reader.string(wire))
            case (4, .fixed64): value = .double(Double(bitPattern: try reader.fixed64()))
            case (5, .varint):
                let number = try reader.varint()
                value = Int64(exactly: number).map { .integer($0) } ?? .json(String(number))
            default: try reader.skip(wire)
            }
        }
        return value
    }
}

extension ByteBuffer {
    /// Writes an entry of a `map<string, InferParameter>`.
    mutating func writeField(_ number: Int, parameter key: String, _ value: ParameterValue) {
        var inner = ByteBuffer()
        switch value {
        case .bool(let flag):
            inner.writeVarint(1 << 3)
            inner.writeVarint(flag ? 1 : 0)
        case .integer(let integer):
            inner.writeVarint(2 << 3)
            inner.writeVarint(UInt64(bitPattern: integer))
        case .double(let double):
            inner.writeVarint(4 << 3 | 1)
            inner.writeInteger(double.bitPattern, endianness: .little)
        case .string(let text), .json(let text):
            // An empty text is still a choice.
            inner.writeField(3, length: text.utf8.count)
            inner.writeString(text)
        }
        writeField(number, length: ProtobufLength.field(key) + ProtobufLength.field(inner.readableBytes))
        writeField(1, key)
        writeField(2, length: inner.readableBytes)
        writeBuffer(&inner)
    }
}
