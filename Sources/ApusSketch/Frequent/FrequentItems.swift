#if canImport(Glibc)
    import Glibc
#endif

/// The most frequent values of a column, with bounds of their counts.
///
/// It counts as many values as its capacity; a new one takes the place of one with the least count, and inherits that
/// count as its error. A value that came more often than ``maximumError`` is always there, and ``maximumError`` is
/// never more than the total divided by the capacity, also after merging.
///
/// Keys are bytes: a text's UTF-8, or whatever stands for a number, such as its text. A key of more than 256 bytes is
/// known by its first 256 (a few less, so that no character of UTF-8 is cut) and the hash of all of it: two long keys
/// with the same beginning are two values, of which only the beginning can be shown.
///
/// - SeeAlso: A. Metwally, D. Agrawal, A. El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data
///   Streams" (Space-Saving), 2005; P. Agarwal and others, "Mergeable Summaries", 2012; M. Cafaro, M. Pulimeno,
///   P. Tempesta, "A parallel space saving algorithm for frequent items", 2016, for the form of merging.
package struct FrequentItems: Sketch {
    package static let kind: UInt8 = 3
    package static let version: UInt8 = 1
    /// The capacities there are.
    package static let capacities = 1...4096
    /// How many bytes of a key are kept.
    package static let keyLimit = 256

    /// A counted value.
    struct Entry {
        var count: Int
        /// How much of the count may belong to others.
        var error: Int
        var hash: UInt64
        /// Bytes of the key that are kept.
        var length: Int
        var isTruncated: Bool
    }

    /// How many values are counted at most.
    package internal(set) var capacity: Int
    /// The sum of all counts that were added.
    package internal(set) var total = 0
    var entries: [Entry] = []
    /// The keys, each in its own `stride` bytes.
    var keys: [UInt8] = []
    private(set) var stride = 8
    /// Numbers of entries, from 1, at the place that their hash says or the next free one; a power of two of them, at
    /// least four times as many as entries.
    private var table: [UInt16] = []
    /// No entry before this one has the least count.
    var cursor = 0
    var least = 0

    /// An empty sketch.
    ///
    /// - Parameter capacity: 1 to 4096; the nearest of them is taken.
    package init(capacity: Int = 128) {
        self.capacity = min(Self.capacities.upperBound, max(Self.capacities.lowerBound, capacity))
    }

    private var isFull: Bool { entries.count == capacity }

    /// The most that a value can have been counted which is not here.
    package var maximumError: Int { isFull ? entries.lazy.map(\.count).min() ?? 0 : 0 }

    /// Whether every count is exact.
    package var isExact: Bool { maximumError == 0 || entries.allSatisfy { $0.error == 0 } && total == counted }

    private var counted: Int { entries.reduce(0) { saturatingSum($0, $1.count) } }

    /// Counts a text.
    package mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    /// Counts a value's bytes.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) { add(bytes, hash: SketchHash.hash(bytes)) }

    /// Counts a value's bytes, whose hash is known already.
    ///
    /// - Parameters:
    ///   - bytes: The value.
    ///   - hash: ``SketchHash`` of the bytes, and nothing else.
    ///   - count: How often the value came, at least 1.
    package mutating func add(_ bytes: UnsafeRawBufferPointer, hash: UInt64, count: Int = 1) {
        guard count > 0 else { return }
        let (kept, isTruncated) = Self.kept(bytes)
        total = saturatingSum(total, count)
        if let found = find(kept, hash: hash, isTruncated: isTruncated) {
            entries[found].count = saturatingSum(entries[found].count, count)
            return
        }
        guard isFull else { return addNew(bytes, hash: hash, count: count, error: 0) }
        let victim = takeLeast()
        let error = entries[victim].count
        replace(victim, bytes, hash: hash, count: saturatingSum(error, count), error: error)
    }

    /// Whether there may be a value with that hash; most others are told apart without their bytes.
    @inline(__always)
    func mayContain(hash: UInt64) -> Bool {
        guard !table.isEmpty else { return false }
        let mask = table.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while table[place] != 0 {
            if entries[Int(table[place]) - 1].hash == hash { return true }
            place = (place + 1) & mask
        }
        return false
    }

    /// Adds to a value's count, and says whether it was there.
    mutating func addIfHere(_ bytes: UnsafeRawBufferPointer, hash: UInt64, count: Int) -> Bool {
        let (kept, isTruncated) = Self.kept(bytes)
        guard let found = find(kept, hash: hash, isTruncated: isTruncated) else { return false }
        entries[found].count = saturatingSum(entries[found].count, count)
        return true
    }

    /// Adds a value that is not there, while there is room for it.
    mutating func addNew(_ bytes: UnsafeRawBufferPointer, hash: UInt64, count: Int, error: Int) {
        let (kept, isTruncated) = Self.kept(bytes)
        append(
            Entry(count: count, error: error, hash: hash, length: kept.count, isTruncated: isTruncated),
            key: kept
        )
    }

    /// Puts a value that is not there at the place of another one.
    mutating func replace(_ victim: Int, _ bytes: UnsafeRawBufferPointer, hash: UInt64, count: Int, error: Int) {
        let (kept, isTruncated) = Self.kept(bytes)
        unlink(victim)
        entries[victim] = Entry(count: count, error: error, hash: hash, length: kept.count, isTruncated: isTruncated)
        store(kept, at: victim)
        link(victim)
    }

    /// What is kept of a key, and whether that is not all.
    private static func kept(_ bytes: UnsafeRawBufferPointer) -> (UnsafeRawBufferPointer, Bool) {
        guard bytes.count > keyLimit else { return (bytes, false) }
        var length = keyLimit
        while length > keyLimit - 4, bytes[length] & 0xC0 == 0x80 { length -= 1 }
        return (UnsafeRawBufferPointer(rebasing: bytes[..<length]), true)
    }

    /// An entry with the least count.
    ///
    /// Counts only grow, so what was passed once need not be looked at again until no entry
    /// with this count is left.
    private mutating func takeLeast() -> Int {
        while true {
            while cursor < entries.count {
                if entries[cursor].count == least { return cursor }
                cursor += 1
            }
            cursor = 0
            least = entries.lazy.map(\.count).min() ?? 0
        }
    }

    // MARK: Keys and the table

    /// The kept bytes of an entry's key.
    func key(_ entry: Int) -> ArraySlice<UInt8> { keys[entry * stride..<entry * stride + entries[entry].length] }

    /// The entry of a key.
    private func find(_ key: UnsafeRawBufferPointer, hash: UInt64, isTruncated: Bool) -> Int? {
        guard !table.isEmpty else { return nil }
        let mask = table.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while table[place] != 0 {
            let found = Int(table[place]) - 1
            let entry = entries[found]
            if entry.hash == hash, entry.length == key.count, entry.isTruncated == isTruncated, equals(key, found) {
                return found
            }
            place = (place + 1) & mask
        }
        return nil
    }

    private func equals(_ key: UnsafeRawBufferPointer, _ entry: Int) -> Bool {
        keys.withUnsafeBytes { keys in
            guard let start = keys.baseAddress, let other = key.baseAddress else { return true }
            return memcmp(start + entry * stride, other, key.count) == 0
        }
    }

    /// Adds an entry whose key is not there, while there is room for it.
    mutating func append(_ entry: Entry, key: UnsafeRawBufferPointer) {
        entries.append(entry)
        keys.append(contentsOf: repeatElement(0, count: stride))
        store(key, at: entries.count - 1)
        if entries.count * 4 > table.count {
            table = [UInt16](repeating: 0, count: max(32, table.count * 2))
            for entry in entries.indices { link(entry) }
        } else {
            link(entries.count - 1)
        }
    }

    private mutating func store(_ key: UnsafeRawBufferPointer, at entry: Int) {
        if key.count > stride { widen(to: (key.count + 7) / 8 * 8) }
        let start = entry * stride
        keys.withUnsafeMutableBytes { keys in
            UnsafeMutableRawBufferPointer(rebasing: keys[start..<start + key.count]).copyMemory(from: key)
        }
    }

    private mutating func widen(to width: Int) {
        var wider = [UInt8](repeating: 0, count: entries.count * width)
        for entry in entries.indices {
            for byte in 0..<min(stride, entries[entry].length) {
                wider[entry * width + byte] = keys[entry * stride + byte]
            }
        }
        keys = wider
        stride = width
    }

    private mutating func link(_ entry: Int) {
        let mask = table.count - 1
        var place = Int(truncatingIfNeeded: entries[entry].hash) & mask
        while table[place] != 0 { place = (place + 1) & mask }
        table[place] = UInt16(entry + 1)
    }

    /// Takes an entry out of the table; those behind it that could stand further ahead close up.
    private mutating func unlink(_ entry: Int) {
        let mask = table.count - 1
        var free = Int(truncatingIfNeeded: entries[entry].hash) & mask
        while table[free] != UInt16(entry + 1) { free = (free + 1) & mask }
        var place = free
        while true {
            place = (place + 1) & mask
            guard table[place] != 0 else { break }
            let home = Int(truncatingIfNeeded: entries[Int(table[place]) - 1].hash) & mask
            // From its home to its place an entry must not meet a free place.
            if (place - home) & mask >= (place - free) & mask {
                table[free] = table[place]
                free = place
            }
        }
        table[free] = 0
    }

    /// Whether a key is there.
    func contains(_ key: UnsafeRawBufferPointer, hash: UInt64, isTruncated: Bool) -> Bool {
        find(key, hash: hash, isTruncated: isTruncated) != nil
    }

    /// The entry of a key of another sketch.
    func find(_ entry: Int, of other: FrequentItems) -> Int? {
        let wanted = other.entries[entry]
        return other.key(entry).withUnsafeBytes { find($0, hash: wanted.hash, isTruncated: wanted.isTruncated) }
    }
}
