/// A value as it lies on the tape, for loops that read very many.
///
/// It holds no reference: it is valid only within the call that gives it, while the document lives.
package struct JSONCell {
    /// The value's type.
    package let kind: JSONValue.Kind
    /// The bits of a number, or 0 or 1 of a truth value.
    package let bits: UInt64
    /// Where a string's 32-bit little-endian length lies, which its bytes follow; nil for anything else.
    package let text: UnsafeRawPointer?
    /// The place on the tape, for ``JSONValue/nested(_:)``.
    package let index: Int
}

extension JSONValue {
    /// Calls `body` with each element of an array, in order.
    ///
    /// - Returns: How many there were; nil for anything but an array.
    @discardableResult
    package func forEachCell(_ body: (JSONCell) throws -> Void) rethrows -> Int? {
        try withExtendedLifetime(document) {
            let tape = document.tape
            let word = tape[index]
            guard UInt8(truncatingIfNeeded: word >> 56) == UInt8(ascii: "[") else { return nil }
            let end = Int(truncatingIfNeeded: word & 0xFFFF_FFFF) - 1
            var place = index + 1
            var count = 0
            while place < end {
                let (cell, next) = Self.cell(tape, document.strings, place)
                try body(cell)
                place = next
                count += 1
            }
            return count
        }
    }

    /// The value itself, as a cell.
    package var cell: JSONCell { Self.cell(document.tape, document.strings, index).0 }

    /// The value at the place of a cell of the same document.
    package func nested(_ cell: JSONCell) -> JSONValue { nested(at: cell.index) }

    /// The value at a cell's ``JSONCell/index`` of the same document.
    package func nested(at index: Int) -> JSONValue { JSONValue(document: document, index: index) }

    /// How many elements an array has; nil for anything else.
    package var elementCount: Int? { forEachCell { _ in } }

    /// What keeps the texts of this value's cells in memory.
    package var owner: AnyObject { document }

    @inline(__always)
    private static func cell(
        _ tape: UnsafePointer<UInt64>,
        _ strings: UnsafePointer<UInt8>,
        _ index: Int
    ) -> (JSONCell, next: Int) {
        let word = tape[index]
        let payload = Int(truncatingIfNeeded: word & 0x00FF_FFFF_FFFF_FFFF)
        func made(_ kind: Kind, _ bits: UInt64 = 0, _ text: UnsafeRawPointer? = nil) -> JSONCell {
            JSONCell(kind: kind, bits: bits, text: text, index: index)
        }
        switch UInt8(truncatingIfNeeded: word >> 56) {
        case UInt8(ascii: "d"): return (made(.double, tape[index + 1]), index + 2)
        case UInt8(ascii: "l"): return (made(.integer, tape[index + 1]), index + 2)
        case UInt8(ascii: "u"): return (made(.unsigned, tape[index + 1]), index + 2)
        case UInt8(ascii: "\""): return (made(.string, 0, UnsafeRawPointer(strings + payload)), index + 1)
        case UInt8(ascii: "t"): return (made(.bool, 1), index + 1)
        case UInt8(ascii: "f"): return (made(.bool, 0), index + 1)
        case UInt8(ascii: "["): return (made(.array), payload & 0xFFFF_FFFF)
        case UInt8(ascii: "{"): return (made(.object), payload & 0xFFFF_FFFF)
        default: return (made(.null), index + 1)
        }
    }
}

extension JSONMember {
    /// The unescaped UTF-8 of the name; valid while the document lives.
    package var nameBytes: UnsafeBufferPointer<UInt8> { nameValue.bytes ?? UnsafeBufferPointer(start: nil, count: 0) }
}
