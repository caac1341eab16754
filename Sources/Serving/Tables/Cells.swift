import ApusJSON

/// The values of a request before they have a type, in loops too tight for a value each.
///
/// It belongs to one request and one thread.
final class Cells {
    /// What a cell holds.
    enum Kind: UInt8 {
        case null, bool, integer, unsigned, double, text
        /// A JSON list or object; its place on the tape.
        case nested
    }

    let count: Int
    private let kinds: UnsafeMutablePointer<Kind>
    /// Bits of a number or truth value, the address of a text's length and bytes, or a place on the tape.
    private let words: UnsafeMutablePointer<UInt64>
    /// What holds the texts.
    let owner: AnyObject?
    /// The JSON that nested values stand in.
    let root: JSONValue?

    /// All cells are null at first.
    init(count: Int, owner: AnyObject?, root: JSONValue? = nil) {
        self.count = count
        self.owner = owner
        self.root = root
        kinds = .allocate(capacity: max(1, count))
        kinds.initialize(repeating: .null, count: count)
        words = .allocate(capacity: max(1, count))
        words.initialize(repeating: 0, count: count)
    }

    deinit {
        kinds.deallocate()
        words.deallocate()
    }

    @inline(__always)
    func kind(_ index: Int) -> Kind {
        assert(index >= 0 && index < count)
        return kinds[index]
    }

    @inline(__always)
    func word(_ index: Int) -> UInt64 {
        assert(index >= 0 && index < count)
        return words[index]
    }

    @inline(__always)
    func set(_ index: Int, _ kind: Kind, _ word: UInt64) {
        assert(index >= 0 && index < count)
        kinds[index] = kind
        words[index] = word
    }

    @inline(__always)
    func set(_ index: Int, _ cell: JSONCell) {
        switch cell.kind {
        case .double: set(index, .double, cell.bits)
        case .integer: set(index, .integer, cell.bits)
        case .unsigned: set(index, .unsigned, cell.bits)
        case .bool: set(index, .bool, cell.bits)
        case .null: break
        case .string:
            guard let text = cell.text else { return }
            if let special = SpecialNumber(text) {
                set(index, .double, special.value.bitPattern)
            } else {
                set(index, .text, UInt64(UInt(bitPattern: text)))
            }
        case .array, .object: set(index, .nested, UInt64(cell.index))
        }
    }

    /// A text's length and bytes, as ``TensorDatatype/bytes`` holds an element.
    func element(_ index: Int) -> UnsafeRawBufferPointer {
        guard kind(index) == .text, let start = UnsafeRawPointer(bitPattern: UInt(word(index))) else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        let length = Int(UInt32(littleEndian: start.loadUnaligned(as: UInt32.self)))
        return UnsafeRawBufferPointer(start: start, count: 4 + length)
    }

    func text(_ index: Int) -> String {
        String(decoding: element(index).dropFirst(4), as: UTF8.self)
    }

    /// The value of a nested cell.
    func nested(_ index: Int) -> JSONValue? {
        kind(index) == .nested ? root?.nested(at: Int(word(index))) : nil
    }

    /// The value in a message, cut where it is long.
    func words(_ index: Int) -> String {
        switch kind(index) {
        case .null: "null"
        case .bool: word(index) != 0 ? "true" : "false"
        case .integer: "\(Int64(bitPattern: word(index)))"
        case .unsigned: "\(word(index))"
        case .double: "\(Double(bitPattern: word(index)))"
        case .text: "'\(text(index).prefix(40))'"
        case .nested: nested(index)?.kind == .object ? "an object" : "a list"
        }
    }
}

/// A number that JSON cannot hold and MLflow's clients send all the same; ``LenientJSON`` puts a text in its place.
enum SpecialNumber: UInt8 {
    case nan = 0x6E
    case infinity = 0x69
    case minusInfinity = 0x6D

    var value: Double {
        switch self {
        case .nan: .nan
        case .infinity: .infinity
        case .minusInfinity: -.infinity
        }
    }

    /// A text of two bytes, the first of which is zero.
    @inline(__always)
    init?(_ text: UnsafeRawPointer) {
        guard text.loadUnaligned(as: UInt32.self) == 2, text.load(fromByteOffset: 4, as: UInt8.self) == 0 else {
            return nil
        }
        self.init(rawValue: text.load(fromByteOffset: 5, as: UInt8.self))
    }
}
