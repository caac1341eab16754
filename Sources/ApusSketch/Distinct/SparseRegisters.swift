/// The registers that are not 0 of a sketch with a precision of 26 bits: a table with open addressing.
///
/// An entry holds the register's number in the upper 26 bits and its rank, 1 to 39, in the lower six; 0 is a free
/// place.
struct SparseRegisters: Sendable {
    static let precision = 26

    /// A power of two of places, at most half of them taken; none at first.
    private var table: [UInt32] = []
    private(set) var count = 0

    /// The entry of a value's hash.
    @inline(__always)
    static func entry(_ hash: UInt64) -> UInt32 {
        let rest = hash << 26 | 1 << 25
        return UInt32(truncatingIfNeeded: hash >> 38) << 6 | UInt32(truncatingIfNeeded: rest.leadingZeroBitCount + 1)
    }

    /// The entries, in no order.
    var entries: some Sequence<UInt32> { table.lazy.filter { $0 != 0 } }

    /// The entries in ascending order, one for each register.
    var sorted: [UInt32] { entries.sorted() }

    mutating func insert(_ entry: UInt32) {
        // Most are there already where they are few, and reading needs no check for other owners.
        guard !contains(entry) else { return }
        makeRoom()
        table.withUnsafeMutableBufferPointer { count += Self.insert(entry, $0) }
    }

    private func contains(_ entry: UInt32) -> Bool {
        let mask = table.count &- 1
        return table.withUnsafeBufferPointer { table in
            guard mask > 0 else { return false }
            var place = Int(entry >> 6) & mask
            while table[place] != 0 {
                if table[place] == entry { return true }
                place = (place &+ 1) & mask
            }
            return false
        }
    }

    /// Inserts the hashes from a place on until the table needs to grow, and says how far it came: by one at least.
    @inline(__always)
    mutating func insert(from start: Int, _ end: Int, _ visit: (Int, (UInt64) -> Void) -> Void) -> Int {
        makeRoom()
        let limit = table.count / 2
        var place = start
        var count = count
        table.withUnsafeMutableBufferPointer { table in
            repeat {
                visit(place) { count &+= Self.insert(Self.entry($0), table) }
                place &+= 1
            } while place < end && count < limit
        }
        self.count = count
        return place
    }

    /// Returns 1 if the register was 0, else 0.
    @inline(__always)
    private static func insert(_ entry: UInt32, _ table: UnsafeMutableBufferPointer<UInt32>) -> Int {
        let mask = table.count &- 1
        var place = Int(entry >> 6) & mask
        while table[place] != 0 {
            if table[place] >> 6 == entry >> 6 {
                if entry > table[place] { table[place] = entry }
                return 0
            }
            place = (place &+ 1) & mask
        }
        table[place] = entry
        return 1
    }

    /// Makes sure that one more entry leaves a free place.
    private mutating func makeRoom() {
        guard count >= table.count / 2 else { return }
        let old = table
        table = [UInt32](repeating: 0, count: max(64, old.count * 2))
        table.withUnsafeMutableBufferPointer { for entry in old where entry != 0 { _ = Self.insert(entry, $0) } }
    }
}
