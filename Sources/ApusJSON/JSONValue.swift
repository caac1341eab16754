/// A value inside a ``JSONDocument``.
///
/// - SeeAlso: `doc/tape.md` in simdjson for the layout that is walked here.
package struct JSONValue {
    /// The type of a value.
    package enum Kind: Sendable {
        case null, bool, integer, unsigned, double, string, array, object
    }

    let document: JSONDocument
    let index: Int

    @inline(__always) private var word: UInt64 { document.tape[index] }
    @inline(__always) var tag: UInt8 { UInt8(truncatingIfNeeded: word >> 56) }
    @inline(__always) private var payload: Int { Int(truncatingIfNeeded: word & 0x00FF_FFFF_FFFF_FFFF) }

    /// What the value is.
    package var kind: Kind {
        switch tag {
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "l"): .integer
        case UInt8(ascii: "u"): .unsigned
        case UInt8(ascii: "d"): .double
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        default: .null
        }
    }

    package var isNull: Bool { tag == UInt8(ascii: "n") }

    /// The text of a string.
    package var string: String? {
        bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The unescaped UTF-8 of a string; valid while the document lives.
    package var bytes: UnsafeBufferPointer<UInt8>? {
        guard tag == UInt8(ascii: "\"") else { return nil }
        let start = document.strings + payload
        let count = Int(UnsafeRawPointer(start).loadUnaligned(as: UInt32.self))
        return UnsafeBufferPointer(start: start + 4, count: count)
    }

    /// A number without a fraction that was written as one, or a double that is whole.
    package var integer: Int64? {
        switch kind {
        case .integer: Int64(bitPattern: document.tape[index + 1])
        case .double: double.flatMap { Int64(exactly: $0) }
        default: nil
        }
    }

    /// A number without a fraction that is not negative, with all its digits, or a double that is such a number.
    package var unsigned: UInt64? {
        switch kind {
        case .unsigned: document.tape[index + 1]
        case .integer: UInt64(exactly: Int64(bitPattern: document.tape[index + 1]))
        case .double: double.flatMap { UInt64(exactly: $0) }
        default: nil
        }
    }

    /// Any number.
    package var double: Double? {
        switch kind {
        case .integer: Double(Int64(bitPattern: document.tape[index + 1]))
        case .unsigned: Double(document.tape[index + 1])
        case .double: Double(bitPattern: document.tape[index + 1])
        default: nil
        }
    }

    /// `true` or `false`.
    package var bool: Bool? {
        switch tag {
        case UInt8(ascii: "t"): true
        case UInt8(ascii: "f"): false
        default: nil
        }
    }

    /// The index after this value.
    @inline(__always) var end: Int {
        switch tag {
        case UInt8(ascii: "["), UInt8(ascii: "{"): payload & 0xFFFF_FFFF
        case UInt8(ascii: "l"), UInt8(ascii: "u"), UInt8(ascii: "d"): index + 2
        default: index + 1
        }
    }

    /// The elements of an array, in order; nil for anything else.
    package var elements: Elements? {
        guard tag == UInt8(ascii: "[") else { return nil }
        return Elements(document: document, index: index + 1, end: end - 1)
    }

    /// The members of an object, in the order of the text; nil for anything else.
    package var members: Members? {
        guard tag == UInt8(ascii: "{") else { return nil }
        return Members(document: document, index: index + 1, end: end - 1)
    }

    /// The last member of that name; nil when there is none or this is not an object.
    package subscript(name: StaticString) -> JSONValue? {
        var found: JSONValue?
        guard let members else { return nil }
        for member in members where member.isNamed(name) { found = member.value }
        return found
    }

    /// Walks an array.
    package struct Elements: Sequence, IteratorProtocol {
        fileprivate let document: JSONDocument
        fileprivate var index: Int
        fileprivate let end: Int

        package mutating func next() -> JSONValue? {
            guard index < end else { return nil }
            let value = JSONValue(document: document, index: index)
            index = value.end
            return value
        }
    }

    /// Walks an object.
    package struct Members: Sequence, IteratorProtocol {
        fileprivate let document: JSONDocument
        fileprivate var index: Int
        fileprivate let end: Int

        package mutating func next() -> JSONMember? {
            guard index < end else { return nil }
            let value = JSONValue(document: document, index: index + 1)
            let member = JSONMember(key: JSONValue(document: document, index: index), value: value)
            index = value.end
            return member
        }
    }
}

/// One name and its value.
package struct JSONMember {
    fileprivate let key: JSONValue
    package let value: JSONValue

    /// The name as a value.
    var nameValue: JSONValue { key }

    /// The name as text.
    package var name: String { key.string ?? "" }

    /// Whether the name is `name`; compares bytes and makes no text.
    @inline(__always) package func isNamed(_ name: StaticString) -> Bool {
        guard let bytes = key.bytes, bytes.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<bytes.count where bytes[index] != name.utf8Start[index] { return false }
        return true
    }
}
