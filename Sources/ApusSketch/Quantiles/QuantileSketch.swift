/// Quantiles, ranks and histograms of numbers in memory for a few hundred of them.
///
/// Numbers stand in levels; one at level `i` stands for 2^i. A level that has grown too long is sorted, and every
/// other number of it, the odd or the even ones by a coin, moves up. What the lowest levels of a long stream would do
/// is done by picking one of 2^``shift`` numbers in a row, which costs next to nothing for those not picked.
///
/// While nothing was left out, results are exact. Afterwards a rank errs by at most ``rankError`` in 99 of 100 cases;
/// the least and the largest number are always exact. NaN is ignored; infinities count, as the least or the largest
/// values. Bytes depend on the numbers and their order only, not on how they were dealt to calls.
///
/// - SeeAlso: Z. Karnin, K. Lang, E. Liberty, "Optimal Quantile Approximation in Streams", FOCS 2016
///   (arXiv:1603.05346); the layout of levels in one array is that of Apache DataSketches.
package struct QuantileSketch: Sketch {
    package static let kind: UInt8 = 2
    package static let version: UInt8 = 1
    /// The lengths of the top level there are.
    package static let lengths = 8...4096
    /// How many levels there are at most above the picking.
    static let levelLimit = 8

    /// The length of the top level, on which the error depends.
    package internal(set) var k: Int
    /// How long a level may grow, by how far it is below the top.
    var limits: [Int]
    /// Numbers below the first level stand one by one in a binary counter of so many digits; the first level's numbers
    /// stand for 2^shift each.
    var shift = 0
    /// Which digits of the counter are taken; as a number it is their weight.
    var taken: UInt64 = 0
    /// The numbers of the counter's digits.
    var digits: [Double] = []
    /// The coins of the counter's present round, one for each digit.
    var coins: UInt64 = 0
    var random: SketchRandom
    /// The levels, lowest first, behind free space.
    var items: [Double]
    /// Where each level begins, and the end.
    var starts: [Int]

    /// How many finite numbers there were.
    package internal(set) var finiteCount = 0
    package internal(set) var positiveInfinityCount = 0
    package internal(set) var negativeInfinityCount = 0
    var low = Double.infinity
    var high = -Double.infinity

    /// An empty sketch.
    ///
    /// - Parameters:
    ///   - k: The length of the top level, 8 to 4096; the nearest of them is taken. 200 needs about 5 KiB.
    ///   - seed: Of the coins. The error of sketches that are merged is smaller when their seeds differ.
    package init(k: Int = 200, seed: UInt64 = 0) {
        self.k = min(Self.lengths.upperBound, max(Self.lengths.lowerBound, k))
        limits = Self.limits(self.k)
        random = SketchRandom(seed: seed)
        items = [Double](repeating: 0, count: self.k)
        starts = [self.k, self.k]
    }

    /// How many numbers there were; weights are counted.
    package var count: Int { finiteCount + positiveInfinityCount + negativeInfinityCount }

    /// The least number.
    package var minimum: Double? {
        negativeInfinityCount > 0 ? -.infinity : finiteCount > 0 ? low : positiveInfinityCount > 0 ? .infinity : nil
    }

    /// The largest number.
    package var maximum: Double? {
        positiveInfinityCount > 0 ? .infinity : finiteCount > 0 ? high : negativeInfinityCount > 0 ? -.infinity : nil
    }

    /// The bound of a rank's error that 99 of 100 ranks keep to, as a part of the count: 2.296 / k^0.9723, which is
    /// 1.33 % for 200.
    ///
    /// - SeeAlso: `KllHelper.getNormalizedRankError` in Apache DataSketches, fitted to measurements.
    package var rankError: Double { QuantileError.single(k) }

    /// The bound for the part of numbers between two points, 1.65 % for 200: 2.446 / k^0.9433.
    package var intervalError: Double { QuantileError.double(k) }

    /// Whether nothing was left out yet.
    package var isExact: Bool { shift == 0 && levelCount == 1 }

    /// Adds a number.
    package mutating func add(_ value: Double) {
        withUnsafePointer(to: value) { add(contentsOf: UnsafeBufferPointer(start: $0, count: 1)) }
    }

    /// Adds numbers.
    package mutating func add(contentsOf values: UnsafeBufferPointer<Double>) {
        guard values.count <= maximumCount - count else { return }
        let special = FiniteBlocks.forEach(values) { block, range in
            low = min(low, range.minimum)
            high = max(high, range.maximum)
            finiteCount += block.count
            place(block)
        }
        positiveInfinityCount += special.positiveInfinity
        negativeInfinityCount += special.negativeInfinity
    }

    /// Adds a number as if it came `weight` times.
    ///
    /// Counts end at 2^60; what would lead beyond is ignored.
    package mutating func add(_ value: Double, weight: Int) {
        guard !value.isNaN, weight > 0, weight <= maximumCount - count else { return }
        guard value.isFinite else {
            if value > 0 { positiveInfinityCount += weight } else { negativeInfinityCount += weight }
            return
        }
        low = min(low, value)
        high = max(high, value)
        finiteCount += weight
        let highest = Int.bitWidth - 1 - weight.leadingZeroBitCount
        while shift + levelCount <= highest { addLevel() }
        // From the top, since making room may raise the counter but never lowers it.
        for digit in stride(from: highest, through: 0, by: -1) where weight & 1 << digit != 0 {
            insert(value, digit: digit)
        }
    }

    /// Puts one number that stands for 2^digit where it belongs.
    mutating func insert(_ value: Double, digit: Int) {
        if digit >= shift, starts[0] == 0 { compress() }
        guard digit < shift else { return insert(value, level: digit - shift) }
        if taken == 0 { coins = random.next() }
        carry(value, from: digit)
    }

    private mutating func insert(_ value: Double, level: Int) {
        var end = starts[0]
        if level > 0 {
            let upper = starts[level + 1]
            end = starts[level]
            while end < upper, items[end] < value { end += 1 }
        }
        // Everything before moves down by one.
        for place in starts[0]..<end { items[place - 1] = items[place] }
        items[end - 1] = value
        for lower in 0...level { starts[lower] -= 1 }
    }

    /// Puts numbers that stand for themselves.
    private mutating func place(_ values: UnsafeBufferPointer<Double>) {
        var next = 0
        while next < values.count {
            if shift == 0 {
                if starts[0] == 0 { compress() }
                // The compression may have been the one that begins the picking.
                if shift == 0 { next += fill(values, from: next) }
            } else {
                if taken == 0 { coins = random.next() }
                // The counter's lowest digits are free: one of so many numbers is picked at once.
                let left = values.count - next
                let digit = min(shift, taken.trailingZeroBitCount, Int.bitWidth - 1 - left.leadingZeroBitCount)
                let pick = Int(truncatingIfNeeded: coins & (1 << UInt64(digit) - 1))
                carry(values[next + pick], from: digit)
                next += 1 << digit
            }
        }
    }

    /// Copies as many numbers to the first level as there is room for, and says how many.
    private mutating func fill(_ values: UnsafeBufferPointer<Double>, from next: Int) -> Int {
        let count = min(starts[0], values.count - next)
        let top = starts[0] - 1
        items.withUnsafeMutableBufferPointer { items in
            for place in 0..<count { items[top - place] = values[next + place] }
        }
        starts[0] -= count
        return count
    }

    /// Puts a number that stands for 2^shift.
    private mutating func push(_ value: Double) {
        if starts[0] == 0 {
            let before = shift
            compress()
            // The first level is another one now; the number is half of what stands there.
            if shift > before { return insert(value, digit: before) }
        }
        starts[0] -= 1
        items[starts[0]] = value
    }

    /// Adds a number to the counter: of two at one digit, a coin picks the one that stands for both.
    ///
    /// Of 2^shift numbers in a row the one is left whose place is written in ``coins``, so it is the same as picking
    /// it.
    private mutating func carry(_ value: Double, from digit: Int) {
        var value = value
        var digit = digit
        while digit < shift {
            let bit: UInt64 = 1 << UInt64(digit)
            if taken & bit == 0 {
                taken |= bit
                digits[digit] = value
                return
            }
            taken &= ~bit
            if coins & bit == 0 { value = digits[digit] }
            digit += 1
        }
        push(value)
    }
}
