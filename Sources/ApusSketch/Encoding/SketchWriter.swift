/// Writes a sketch's bytes.
package struct SketchWriter {
    static let magic: [UInt8] = [0x6B, 0x41]

    private var bytes: [UInt8]

    init(kind: UInt8, version: UInt8) {
        bytes = Self.magic + [kind, version]
    }

    /// One byte.
    package mutating func byte(_ value: UInt8) { bytes.append(value) }

    /// Eight bytes, little-endian.
    package mutating func word(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A number, of any kind.
    package mutating func double(_ value: Double) { word(value.bitPattern) }

    /// Seven bits in each byte, the lowest first; the highest bit says that more follow.
    package mutating func number(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    /// A count, which is not negative.
    package mutating func count(_ value: Int) { number(UInt64(max(0, value))) }

    /// Bytes as they are.
    package mutating func raw(_ content: some Sequence<UInt8>) { bytes.append(contentsOf: content) }

    /// The bytes and their checksum.
    func finished() -> [UInt8] {
        let sum = Self.checksum(bytes[...])
        return bytes + withUnsafeBytes(of: sum.littleEndian) { Array($0) }
    }

    /// Finds what disks and networks damage; it is no seal.
    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        UInt32(truncatingIfNeeded: bytes.withUnsafeBytes { SketchHash.hash($0) })
    }
}
