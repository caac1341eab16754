/// Reads the fields of a Protocol Buffers message in place.
///
/// Inference requests are read by this instead of by generated code, so that tensors stay where they came in.
/// Offsets are those of the outermost message.
///
/// - SeeAlso: "Encoding", protobuf.dev.
struct ProtobufReader {
    enum WireType: UInt64 {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5
    }

    struct Malformed: Error {}

    private let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int
    private let end: Int

    /// Reads the message that is in that range of `bytes`.
    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = min(range.upperBound, bytes.count)
    }

    var isAtEnd: Bool { offset >= end }

    /// The next field's number and how it is written; nil at the end.
    mutating func nextField() throws -> (number: UInt64, wire: WireType)? {
        guard !isAtEnd else { return nil }
        let tag = try varint()
        guard let wire = WireType(rawValue: tag & 7), tag >> 3 > 0 else { throw Malformed() }
        return (tag >> 3, wire)
    }

    mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
            guard shift < 70 else { break }
        }
        throw Malformed()
    }

    mutating func fixed32() throws -> UInt32 {
        guard end - offset >= 4 else { throw Malformed() }
        defer { offset += 4 }
        return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    mutating func fixed64() throws -> UInt64 {
        guard end - offset >= 8 else { throw Malformed() }
        defer { offset += 8 }
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Where the bytes of a field are that says how long it is.
    mutating func range(_ wire: WireType) throws -> Range<Int> {
        guard wire == .lengthDelimited, let length = Int(exactly: try varint()), length <= end - offset else {
            throw Malformed()
        }
        defer { offset += length }
        return offset..<(offset + length)
    }

    mutating func message(_ wire: WireType) throws -> ProtobufReader { ProtobufReader(bytes, try range(wire)) }

    mutating func string(_ wire: WireType) throws -> String {
        let range = try range(wire)
        guard let string = String(validating: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self) else {
            throw Malformed()
        }
        return string
    }

    mutating func skip(_ wire: WireType) throws {
        switch wire {
        case .varint: _ = try varint()
        case .fixed32: _ = try fixed32()
        case .fixed64: _ = try fixed64()
        case .lengthDelimited: _ = try range(wire)
        }
    }

    /// Reads the elements of a repeated number, whether they are packed or not.
    mutating func varints(_ wire: WireType, _ body: (UInt64) throws -> Void) throws {
        if wire == .varint { return try body(varint()) }
        var packed = try message(wire)
        while !packed.isAtEnd { try body(packed.varint()) }
    }
}
