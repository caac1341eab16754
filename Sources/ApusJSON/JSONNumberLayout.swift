/// How the elements of an array of numbers lie in memory, in the byte order of this machine.
package enum JSONNumberLayout: Sendable, CaseIterable {
    /// One byte, 0 or 1, from `true` or `false`.
    case bool
    case int8, int16, int32, int64, uint8, uint16, uint32, uint64
    /// Numbers are rounded to the nearest; `null` is NaN.
    case float16, float, double
    /// The upper half of a float.
    case bfloat16

    /// How many bytes an element takes.
    package var width: Int {
        switch self {
        case .bool, .int8, .uint8: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float: 4
        case .int64, .uint64, .double: 8
        }
    }
}

/// A type that a number on the tape can be read as without losing more than precision.
protocol JSONElement: BitwiseCopyable {
    /// Nil when the value at that place of the tape is of another kind or out of range.
    init?(tag: UInt8, bits: UInt64)
}

/// The types of words on the tape.
enum TapeTag {
    static let array = UInt8(ascii: "[")
    static let string = UInt8(ascii: "\"")
    static let signed = UInt8(ascii: "l")
    static let unsigned = UInt8(ascii: "u")
    static let double = UInt8(ascii: "d")
    static let yes = UInt8(ascii: "t")
    static let no = UInt8(ascii: "f")
    static let null = UInt8(ascii: "n")
}

extension JSONElement where Self: FixedWidthInteger {
    @inline(__always) init?(tag: UInt8, bits: UInt64) {
        switch tag {
        case TapeTag.signed: self.init(exactly: Int64(bitPattern: bits))
        case TapeTag.unsigned: self.init(exactly: bits)
        case TapeTag.double: self.init(exactly: Double(bitPattern: bits))
        default: return nil
        }
    }
}

extension JSONElement where Self: BinaryFloatingPoint {
    @inline(__always) init?(tag: UInt8, bits: UInt64) {
        switch tag {
        case TapeTag.double: self.init(Double(bitPattern: bits))
        case TapeTag.signed: self.init(Int64(bitPattern: bits))
        case TapeTag.unsigned: self.init(bits)
        case TapeTag.null:
            self = .nan
            return
        default: return nil
        }
        // A number that is finite in the text and not in this type is out of range.
        if !isFinite { return nil }
    }
}

extension Int8: JSONElement {}
extension Int16: JSONElement {}
extension Int32: JSONElement {}
extension Int64: JSONElement {}
extension UInt8: JSONElement {}
extension UInt16: JSONElement {}
extension UInt32: JSONElement {}
extension UInt64: JSONElement {}
extension Float16: JSONElement {}
extension Float: JSONElement {}
extension Double: JSONElement {}

/// A truth value as a byte.
struct JSONTruth: JSONElement {
    let byte: UInt8

    @inline(__always) init?(tag: UInt8, bits: UInt64) {
        switch tag {
        case TapeTag.yes: byte = 1
        case TapeTag.no: byte = 0
        default: return nil
        }
    }
}

/// The upper half of a float, rounded to the nearest, ties to even.
struct JSONBrainFloat: JSONElement {
    let bits: UInt16

    @inline(__always) init?(tag: UInt8, bits: UInt64) {
        guard let float = Float(tag: tag, bits: bits) else { return nil }
        guard !float.isNaN else {
            self.bits = 0x7FC0
            return
        }
        let pattern = float.bitPattern
        let rounded = pattern &+ 0x7FFF &+ (pattern >> 16 & 1)
        guard rounded & 0x7F80_0000 != 0x7F80_0000 else { return nil }
        self.bits = UInt16(truncatingIfNeeded: rounded >> 16)
    }
}
