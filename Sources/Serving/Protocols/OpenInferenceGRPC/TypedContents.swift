import NIOCore

/// Reads an `InferTensorContents`, whose elements become those of a tensor.
struct TypedContents {
    private let bytes: UnsafeRawBufferPointer
    private let pieces: [Range<Int>]

    init(_ bytes: UnsafeRawBufferPointer, _ pieces: [Range<Int>]) {
        self.bytes = bytes
        self.pieces = pieces
    }

    /// - Throws: ``ServingError`` `invalid` when there are elements of another datatype, too large ones, or another
    ///   number of them than the shape says.
    func tensor(name: String, datatype: TensorDatatype, shape: [Int]) throws -> Tensor {
        // Sizes are checked before anything is made of them.
        _ = try Tensor.elementCount(of: shape, name: name)
        guard let wanted = Self.field(datatype) else {
            guard pieces.allSatisfy(\.isEmpty) else {
                throw ServingError.invalid(
                    "Input '\(name)' is \(datatype.rawValue), which only raw_input_contents carry."
                )
            }
            return try Tensor(name: name, datatype: datatype, shape: shape, bytes: ByteBuffer())
        }
        var elements = ByteBuffer()
        for piece in pieces {
            var reader = ProtobufReader(bytes, piece)
            while let (number, wire) = try reader.nextField() {
                if number == wanted {
                    try read(datatype, &reader, wire, into: &elements, name: name)
                } else if (1...8).contains(number) {
                    let start = reader.offset
                    try reader.skip(wire)
                    // An empty field is the same as none.
                    if wire != .lengthDelimited || number == 8 || reader.offset > start + 1 {
                        throw ServingError.invalid("Input '\(name)' is \(datatype.rawValue), and its contents are not.")
                    }
                } else {
                    try reader.skip(wire)
                }
            }
        }
        return try Tensor(name: name, datatype: datatype, shape: shape, bytes: elements)
    }

    /// The field that carries a datatype.
    private static func field(_ datatype: TensorDatatype) -> UInt64? {
        switch datatype {
        case .bool: 1
        case .int8, .int16, .int32: 2
        case .int64: 3
        case .uint8, .uint16, .uint32: 4
        case .uint64: 5
        case .fp32: 6
        case .fp64: 7
        case .bytes: 8
        case .fp16, .bf16: nil
        }
    }

    private func read(
        _ datatype: TensorDatatype,
        _ reader: inout ProtobufReader,
        _ wire: ProtobufReader.WireType,
        into elements: inout ByteBuffer,
        name: String
    ) throws {
        switch datatype {
        case .bool: try reader.varints(wire) { elements.writeInteger(UInt8($0 == 0 ? 0 : 1)) }
        case .int8: try integers(Int8.self, &reader, wire, into: &elements, name)
        case .int16: try integers(Int16.self, &reader, wire, into: &elements, name)
        case .int32: try integers(Int32.self, &reader, wire, into: &elements, name)
        case .uint8: try naturals(UInt8.self, &reader, wire, into: &elements, name)
        case .uint16: try naturals(UInt16.self, &reader, wire, into: &elements, name)
        case .uint32: try naturals(UInt32.self, &reader, wire, into: &elements, name)
        case .int64, .uint64: try reader.varints(wire) { elements.writeInteger($0, endianness: .little) }
        case .fp32:
            if wire == .fixed32 {
                elements.writeInteger(try reader.fixed32(), endianness: .little)
            } else {
                try copy(&reader, wire, width: 4, into: &elements)
            }
        case .fp64:
            if wire == .fixed64 {
                elements.writeInteger(try reader.fixed64(), endianness: .little)
            } else {
                try copy(&reader, wire, width: 8, into: &elements)
            }
        case .bytes:
            let range = try reader.range(wire)
            elements.writeText(UnsafeRawBufferPointer(rebasing: bytes[range]))
        case .fp16, .bf16: try reader.skip(wire)
        }
    }

    /// Packed numbers of fixed size are written as tensors are.
    private func copy(
        _ reader: inout ProtobufReader,
        _ wire: ProtobufReader.WireType,
        width: Int,
        into elements: inout ByteBuffer
    ) throws {
        let range = try reader.range(wire)
        guard range.count % width == 0 else { throw ProtobufReader.Malformed() }
        elements.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }

    private func integers<Element: FixedWidthInteger>(
        _: Element.Type,
        _ reader: inout ProtobufReader,
        _ wire: ProtobufReader.WireType,
        into elements: inout ByteBuffer,
        _ name: String
    ) throws {
        try reader.varints(wire) { number in
            let number = Int64(bitPattern: number)
            guard let element = Element(exactly: number) else { throw Self.outOfRange(number, Element.self, name) }
            elements.writeInteger(element, endianness: .little)
        }
    }

    private func naturals<Element: FixedWidthInteger>(
        _: Element.Type,
        _ reader: inout ProtobufReader,
        _ wire: ProtobufReader.WireType,
        into elements: inout ByteBuffer,
        _ name: String
    ) throws {
        try reader.varints(wire) { number in
            guard let element = Element(exactly: number) else { throw Self.outOfRange(number, Element.self, name) }
            elements.writeInteger(element, endianness: .little)
        }
    }

    private static func outOfRange(_ number: some FixedWidthInteger, _ type: Any.Type, _ name: String) -> ServingError {
        .invalid("Input '\(name)' has \(number), which is no \(type).")
    }
}
