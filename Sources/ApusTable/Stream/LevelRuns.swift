/// Which rows have a value: runs of equal bits, and bits in groups of eight.
enum LevelRuns {
    /// A run: so many rows, and the level of all, or the place of their bits.
    enum Run {
        case equal(count: Int, isPresent: Bool)
        case bits(count: Int, place: Int)
    }

    /// The run at a place, and the place after it.
    ///
    /// - Returns: Nil if the bytes are none.
    static func run(_ bytes: [UInt8], at place: Int) -> (Run, next: Int)? {
        var head: UInt64 = 0
        var place = place
        var shift: UInt64 = 0
        while true {
            guard place < bytes.count, shift < 35 else { return nil }
            head |= UInt64(bytes[place] & 0x7F) << shift
            shift += 7
            place += 1
            if bytes[place - 1] & 0x80 == 0 { break }
        }
        let count = Int(head >> 1)
        if head & 1 == 0 {
            guard place < bytes.count, bytes[place] <= 1 else { return nil }
            return (.equal(count: count, isPresent: bytes[place] == 1), place + 1)
        }
        guard count <= bytes.count - place else { return nil }
        return (.bits(count: count * 8, place: place), place + count)
    }

    /// How many of the rows have a value; nil if the bytes are not the levels of so many rows.
    static func count(_ bytes: [UInt8], rowCount: Int) -> Int? {
        var rows = 0
        var present = 0
        var place = 0
        while rows < rowCount {
            guard let (run, next) = run(bytes, at: place) else { return nil }
            switch run {
            case .equal(let count, let isPresent):
                let count = min(count, rowCount - rows)
                rows += count
                if isPresent { present += count }
            case .bits(let count, let start):
                let count = min(count, rowCount - rows)
                rows += count
                for byte in 0..<(count / 8) { present += bytes[start + byte].nonzeroBitCount }
                if count % 8 > 0 { present += (bytes[start + count / 8] & (1 << UInt8(count % 8) - 1)).nonzeroBitCount }
            }
            guard next > place else { return nil }
            place = next
        }
        return present
    }
}

/// Finds the values of rows that ascend.
package struct RowPlaces {
    private let levels: [UInt8]
    private var byte = 0
    /// Rows and values before the run that comes next.
    private var rows = 0
    private var present = 0

    init(levels: [UInt8]) {
        self.levels = levels
    }

    /// The place of a row's value among those that are there; nil if it is missing.
    package mutating func place(ofRow row: Int) -> Int? {
        guard !levels.isEmpty else { return row }
        while let (run, next) = LevelRuns.run(levels, at: byte) {
            switch run {
            case .equal(let count, let isPresent):
                if row < rows + count { return isPresent ? present + row - rows : nil }
                rows += count
                if isPresent { present += count }
            case .bits(let count, let start):
                if row < rows + count {
                    let bit = row - rows
                    guard levels[start + bit / 8] >> UInt8(bit % 8) & 1 == 1 else { return nil }
                    var place = present
                    for byte in 0..<(bit / 8) { place += levels[start + byte].nonzeroBitCount }
                    return place + (levels[start + bit / 8] & (1 << UInt8(bit % 8) - 1)).nonzeroBitCount
                }
                rows += count
                for byte in 0..<(count / 8) { present += levels[start + byte].nonzeroBitCount }
            }
            byte = next
        }
        return nil
    }
}
