package import NIOCore

/// Writes the fields of a Protocol Buffers message.
///
/// - SeeAlso: "Encoding", protobuf.dev.
extension ByteBuffer {
    /// Writes a number in as few groups of seven bits as it takes.
    package mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        writeInteger(UInt8(truncatingIfNeeded: rest))
    }

    /// Begins a field that says how long it is.
    mutating func writeField(_ number: Int, length: Int) {
        writeVarint(UInt64(number) << 3 | 2)
        writeVarint(UInt64(length))
    }

    /// Writes a text; an empty one is left out, which means the same.
    mutating func writeField(_ number: Int, _ text: String) {
        guard !text.isEmpty else { return }
        writeField(number, length: text.utf8.count)
        writeString(text)
    }
}

/// How many bytes fields take.
package enum ProtobufLength {
    /// A number as `writeVarint` writes it.
    package static func varint(_ value: UInt64) -> Int { (70 - (value | 1).leadingZeroBitCount) / 7 }

    /// A field of `length` bytes with its number, which is below 16, and its length.
    static func field(_ length: Int) -> Int { 1 + varint(UInt64(length)) + length }

    static func field(_ text: String) -> Int { text.isEmpty ? 0 : field(text.utf8.count) }
}
