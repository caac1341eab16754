/// Reads the compact protocol of Thrift, as far as headers of Parquet need it.
///
/// - SeeAlso: `doc/specs/thrift-compact-protocol.md` in apache/thrift.
struct ThriftReader {
    /// The bytes end too early, or are none of the protocol.
    struct Damaged: Error {}

    private let bytes: UnsafeRawBufferPointer
    private(set) var place: Int

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        place = 0
    }

    /// The next field of a structure: its number and its type, or nil at the end.
    mutating func field(after last: Int) throws(Damaged) -> (number: Int, type: UInt8)? {
        let head = try byte()
        guard head != 0 else { return nil }
        let step = Int(head >> 4)
        let number = step == 0 ? try integer() : last + step
        return (number, head & 0xF)
    }

    mutating func byte() throws(Damaged) -> UInt8 {
        guard place < bytes.count else { throw Damaged() }
        defer { place += 1 }
        return bytes[place]
    }

    /// An integer of at most 64 bits, zigzag.
    mutating func integer() throws(Damaged) -> Int {
        let value = try unsigned()
        return Int(truncatingIfNeeded: value >> 1) ^ -Int(truncatingIfNeeded: value & 1)
    }

    private mutating func unsigned() throws(Damaged) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let next = try byte()
            value |= UInt64(next & 0x7F) << shift
            if next & 0x80 == 0 { return value }
        }
        throw Damaged()
    }

    /// Passes over a value.
    mutating func skip(_ type: UInt8, depth: Int = 0) throws(Damaged) {
        guard depth < 8 else { throw Damaged() }
        switch type {
        case 1, 2: break
        case 3: _ = try byte()
        case 4, 5, 6: _ = try unsigned()
        case 7: try skip(bytes: 8)
        case 8:
            guard let count = Int(exactly: try unsigned()) else { throw Damaged() }
            try skip(bytes: count)
        case 9, 10:
            let head = try byte()
            var count = Int(head >> 4)
            if count == 15 {
                guard let long = Int(exactly: try unsigned()), long <= bytes.count else { throw Damaged() }
                count = long
            }
            for _ in 0..<count {
                // A list's booleans have a byte each, a field's have none.
                if head & 0xF <= 2 { _ = try byte() } else { try skip(head & 0xF, depth: depth + 1) }
            }
        case 12:
            var last = 0
            while let (number, type) = try field(after: last) {
                try skip(type, depth: depth + 1)
                last = number
            }
        default: throw Damaged()
        }
    }

    private mutating func skip(bytes count: Int) throws(Damaged) {
        guard count >= 0, count <= bytes.count - place else { throw Damaged() }
        place += count
    }
}
