extension QuantileSketch {
    /// Adds what another sketch has seen; the result has the lower of the two k.
    ///
    /// Counts end at 2^60: a sketch that would lead beyond is ignored.
    package mutating func merge(_ other: QuantileSketch) {
        guard other.count > 0, other.count <= maximumCount - count else { return }
        var base = self
        var guest = other
        if guest.shift > base.shift { swap(&base, &guest) }
        base.absorb(guest)
        self = base
    }

    /// Merges a sketch whose counter has no more digits than this one's.
    private mutating func absorb(_ guest: QuantileSketch) {
        finiteCount += guest.finiteCount
        positiveInfinityCount += guest.positiveInfinityCount
        negativeInfinityCount += guest.negativeInfinityCount
        low = min(low, guest.low)
        high = max(high, guest.high)
        random.stir(guest.random)
        if guest.k < k { lower(to: guest.k) }
        while shift + levelCount < guest.shift + guest.levelCount { addLevel() }
        // Highest first: the sooner the levels are as they will be, the fewer numbers move twice.
        for level in stride(from: guest.levelCount - 1, through: 0, by: -1) {
            for place in guest.starts[level]..<guest.starts[level + 1] {
                insert(guest.items[place], digit: guest.shift + level)
            }
        }
        for digit in stride(from: guest.shift - 1, through: 0, by: -1) where guest.taken & 1 << UInt64(digit) != 0 {
            insert(guest.digits[digit], digit: digit)
        }
    }

    /// Has shorter levels from now on.
    private mutating func lower(to k: Int) {
        var smaller = QuantileSketch(k: k)
        (smaller.random, smaller.shift, smaller.taken) = (random, shift, taken)
        (smaller.digits, smaller.coins) = (digits, coins)
        while smaller.levelCount < levelCount { smaller.addLevel() }
        for level in stride(from: levelCount - 1, through: 0, by: -1) {
            for place in starts[level]..<starts[level + 1] { smaller.insert(items[place], digit: shift + level) }
        }
        (smaller.finiteCount, smaller.low, smaller.high) = (finiteCount, low, high)
        (smaller.positiveInfinityCount, smaller.negativeInfinityCount) = (positiveInfinityCount, negativeInfinityCount)
        self = smaller
    }
}
