/// Reads a sketch's bytes, each access checked.
package struct SketchReader {
    private let bytes: ArraySlice<UInt8>
    private var place: Int

    /// Checks the frame: magic, kind, version and checksum.
    init(_ bytes: [UInt8], kind: UInt8, version: UInt8) throws(SketchError) {
        guard bytes.starts(with: SketchWriter.magic) else { throw .notASketch }
        guard bytes.count >= 8 else { throw .truncated }
        guard bytes[2] == kind else { throw .otherKind(expected: kind, found: bytes[2]) }
        guard bytes[3] == version else { throw .unsupportedVersion(bytes[3]) }
        let end = bytes.count - 4
        let sum = bytes[end...].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard SketchWriter.checksum(bytes[..<end]) == sum else { throw .damaged("checksum") }
        self.bytes = bytes[4..<end]
        place = 4
    }

    /// How many bytes are left.
    var remaining: Int { bytes.endIndex - place }

    /// One byte.
    package mutating func byte() throws(SketchError) -> UInt8 {
        guard remaining >= 1 else { throw .truncated }
        defer { place += 1 }
        return bytes[place]
    }

    /// Eight bytes, little-endian.
    package mutating func word() throws(SketchError) -> UInt64 {
        try raw(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A number, of any kind.
    package mutating func double() throws(SketchError) -> Double { Double(bitPattern: try word()) }

    /// A number that is not infinite and not NaN.
    package mutating func finite(_ what: String) throws(SketchError) -> Double {
        let value = try double()
        guard value.isFinite else { throw .damaged(what) }
        return value
    }

    /// A number of variable length.
    package mutating func number() throws(SketchError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            let bits = UInt64(next & 0x7F)
            guard shift < 63 || bits <= 1 else { throw .damaged("number") }
            value |= bits << shift
            guard next & 0x80 != 0 else { break }
            shift += 7
            guard shift <= 63 else { throw .damaged("number") }
        }
        return value
    }

    /// A count of at most `limit`.
    package mutating func count(_ what: String, limit: Int = 1 << 60) throws(SketchError) -> Int {
        guard let value = Int(exactly: try number()), value <= limit else { throw .damaged(what) }
        return value
    }

    /// The next bytes, which are there.
    package mutating func raw(_ count: Int) throws(SketchError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= remaining else { throw .truncated }
        defer { place += count }
        return bytes[place..<place + count]
    }

    /// Refuses bytes that nobody asked for.
    func finish() throws(SketchError) {
        guard remaining == 0 else { throw .damaged("bytes after the end") }
    }
}
