import NIOCore

/// Gives cells a type.
///
/// It casts as MLflow does, which is as NumPy's `astype` does, except where that would change a value without a word:
/// a fraction in a whole number, a number out of range, a null or a number other than 0 and 1 as truth value.
struct CellCast {
    let cells: CellRange
    /// Whether a text that is a number may stand for it.
    var readsTexts = true
    /// Whether null is NaN.
    var readsNulls = true

    /// Appends the values to `bytes`.
    ///
    /// - Throws: ``ServingError`` `invalid` that says which value cannot be taken; for ``TensorDatatype/bytes`` also of
    ///   those that are no text.
    func append(as datatype: TensorDatatype, to bytes: inout ByteBuffer) throws {
        switch datatype {
        case .fp64: try append(Double.self, to: &bytes) { try floating($0, Double.self, datatype) }
        case .fp32: try append(Float.self, to: &bytes) { try floating($0, Float.self, datatype) }
        case .int64: try append(Int64.self, to: &bytes) { try whole($0, Int64.self, datatype) }
        case .int32: try append(Int32.self, to: &bytes) { try whole($0, Int32.self, datatype) }
        case .int16: try append(Int16.self, to: &bytes) { try whole($0, Int16.self, datatype) }
        case .int8: try append(Int8.self, to: &bytes) { try whole($0, Int8.self, datatype) }
        case .uint64: try append(UInt64.self, to: &bytes) { try whole($0, UInt64.self, datatype) }
        case .uint32: try append(UInt32.self, to: &bytes) { try whole($0, UInt32.self, datatype) }
        case .uint16: try append(UInt16.self, to: &bytes) { try whole($0, UInt16.self, datatype) }
        case .uint8: try append(UInt8.self, to: &bytes) { try whole($0, UInt8.self, datatype) }
        case .bool: try append(UInt8.self, to: &bytes, truth)
        case .fp16: try append(UInt16.self, to: &bytes) { HalfFloat.bits(try floating($0, Float.self, datatype)) }
        case .bf16:
            try append(UInt16.self, to: &bytes) {
                UInt16(truncatingIfNeeded: try floating($0, Float.self, datatype).bitPattern >> 16)
            }
        case .bytes:
            for index in 0..<cells.count {
                guard cells.kind(index) == .text else { throw refusal(index, "text") }
                bytes.writeBytes(cells.cells.element(cells.start + index))
            }
        }
    }

    /// The values as a tensor of their own.
    ///
    /// - Throws: ``ServingError`` `invalid`.
    func tensor(_ name: String, as datatype: TensorDatatype, shape: [Int]) throws -> Tensor {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(cells.count * (datatype.elementBytes ?? 16))
        try append(as: datatype, to: &bytes)
        return try Tensor(name: name, datatype: datatype, shape: shape, bytes: bytes)
    }

    @inline(__always)
    private func append<Element: BitwiseCopyable>(
        _: Element.Type,
        to bytes: inout ByteBuffer,
        _ value: (Int) throws -> Element
    ) throws {
        let width = MemoryLayout<Element>.size
        try withExtendedLifetime(cells.cells.owner) {
            _ = try bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: cells.count * width) { target in
                for index in 0..<cells.count {
                    target.storeBytes(of: try value(index), toByteOffset: index * width, as: Element.self)
                }
                return cells.count * width
            }
        }
    }

    @inline(__always)
    private func floating<Element: BinaryFloatingPoint>(
        _ index: Int,
        _: Element.Type,
        _ datatype: TensorDatatype
    ) throws -> Element {
        let word = cells.word(index)
        switch cells.kind(index) {
        case .double:
            let exact = Double(bitPattern: word)
            let value = Element(exact)
            guard value.isFinite || !exact.isFinite else { throw refusal(index, datatype) }
            return value
        case .integer: return Element(Int64(bitPattern: word))
        case .unsigned: return Element(word)
        case .bool: return Element(word)
        case .null where readsNulls: return .nan
        case .text where readsTexts:
            guard let value = Self.double(cells.cells.text(cells.start + index)) else {
                throw refusal(index, datatype)
            }
            return Element(value)
        case .null, .text, .nested: throw refusal(index, datatype)
        }
    }

    @inline(__always)
    private func whole<Element: FixedWidthInteger>(
        _ index: Int,
        _: Element.Type,
        _ datatype: TensorDatatype
    ) throws -> Element {
        let word = cells.word(index)
        let value: Element? =
            switch cells.kind(index) {
            case .integer: Element(exactly: Int64(bitPattern: word))
            case .unsigned: Element(exactly: word)
            case .double: Element(exactly: Double(bitPattern: word))
            case .bool: Element(exactly: word)
            case .text where readsTexts: Element(cells.cells.text(cells.start + index))
            case .text, .null, .nested: nil
            }
        guard let value else { throw refusal(index, datatype) }
        return value
    }

    private func truth(_ index: Int) throws -> UInt8 {
        let word = cells.word(index)
        switch cells.kind(index) {
        case .bool: return UInt8(truncatingIfNeeded: word)
        case .integer where word <= 1: return UInt8(truncatingIfNeeded: word)
        case .double where Double(bitPattern: word) == 0 || Double(bitPattern: word) == 1:
            return Double(bitPattern: word) == 1 ? 1 : 0
        default: throw refusal(index, .bool)
        }
    }

    /// A number as Python's `float` reads it, blanks around it allowed.
    private static func double(_ text: String) -> Double? {
        let trimmed = text.drop { $0.isWhitespace }
        let end = trimmed.lastIndex { !$0.isWhitespace }.map { trimmed.index(after: $0) } ?? trimmed.startIndex
        // Swift reads hexadecimal numbers, which Python does not.
        guard !trimmed.contains(where: { $0 == "x" || $0 == "X" || $0 == "p" || $0 == "P" }) else { return nil }
        return Double(trimmed[..<end])
    }

    private func refusal(_ index: Int, _ datatype: TensorDatatype) -> ServingError {
        let wanted =
            switch datatype {
            case .bool: "a boolean"
            case .fp64: "a number (double)"
            case .fp32: "a number (float)"
            case .fp16, .bf16: "a number (\(datatype.rawValue))"
            case .bytes: "text"
            default: "a whole number in the range of \(datatype.rawValue)"
            }
        return refusal(index, wanted)
    }

    private func refusal(_ index: Int, _ wanted: String) -> ServingError {
        .invalid("\(cells.path(index)): \(cells.words(index)) cannot be taken for \(wanted).")
    }
}

/// The 16-bit floating-point format of IEEE 754.
package enum HalfFloat {
    /// The bits of the nearest half.
    package static func bits(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
        guard value.isFinite else { return sign | (value.isNaN ? 0x7E00 : 0x7C00) }
        // Scaled so that the last bit of a half is a whole number; rounds to even.
        let magnitude = value.magnitude
        guard magnitude < 65520 else { return sign | 0x7C00 }
        if magnitude < 0x1p-14 {
            return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
        }
        let exponent = Int(magnitude.exponent)
        let significand = UInt32((Double(magnitude) * 0x1p10 / exp2(exponent)).rounded(.toNearestOrEven))
        return sign | UInt16(truncatingIfNeeded: (UInt32(exponent + 14) << 10) + significand)
    }

    /// The number that a half's bits stand for.
    package static func value(_ bits: UInt16) -> Float {
        let sign: Float = bits & 0x8000 != 0 ? -1 : 1
        let exponent = Int(bits >> 10 & 0x1F)
        let fraction = Float(bits & 0x3FF)
        switch exponent {
        case 0: return sign * fraction * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default: return sign * (1024 + fraction) * Float(exp2(exponent - 25))
        }
    }

    private static func exp2(_ exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }
}
