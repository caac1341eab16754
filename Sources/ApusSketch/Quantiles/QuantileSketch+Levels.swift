#if canImport(Glibc)
    import Glibc
#endif

extension QuantileSketch {
    var levelCount: Int { starts.count - 1 }

    /// How long levels may grow, the top one first: k · (2/3)^depth, at least 8.
    static func limits(_ k: Int) -> [Int] {
        var (numerator, denominator) = (k, 1)
        return (0..<levelLimit).map { _ in
            defer { (numerator, denominator) = (numerator * 2, denominator * 3) }
            return max(8, (numerator + denominator - 1) / denominator)
        }
    }

    /// Makes room for at least one number: the lowest level that is too long moves half of its numbers up.
    mutating func compress() {
        // All levels together are as long as they may be, so one of them is.
        for level in 0..<levelCount
        where starts[level + 1] - starts[level] >= limits[levelCount - 1 - level] {
            guard level == levelCount - 1 else { return compact(level) }
            addLevel()
            return compact(levelCount - 2)
        }
    }

    /// Adds an empty level on top.
    ///
    /// When there are enough levels, the lowest one becomes a digit of the counter.
    mutating func addLevel() {
        guard levelCount == Self.levelLimit else {
            let more = limits[levelCount]
            items.insert(contentsOf: repeatElement(0, count: more), at: 0)
            for level in starts.indices { starts[level] += more }
            starts.append(items.count)
            return
        }
        compact(0)
        let rest = starts[0] < starts[1] ? items[starts[0]] : nil
        starts.removeFirst()
        starts.append(items.count)
        digits.append(0)
        shift += 1
        if let rest { insert(rest, digit: shift - 1) }
    }

    /// Sorts a level that has one above it, and moves every other number up; one of an odd count stays.
    private mutating func compact(_ level: Int) {
        let begin = starts[level]
        let end = starts[level + 1]
        let upperEnd = starts[level + 2]
        let odd = (end - begin) & 1
        let half = (end - begin) / 2
        guard half > 0 else { return }
        let first = begin + odd
        let offset = Int(random.next() >> 63)
        let lowest = starts[0]
        items.withUnsafeMutableBufferPointer { buffer in
            guard let items = buffer.baseAddress else { return }
            if level == 0 {
                withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * half) { spare in
                    if let spare = spare.baseAddress { NumberSort.sort(items + first, count: 2 * half, spare: spare) }
                }
            }
            for place in 0..<half { items[first + place] = items[first + 2 * place + offset] }
            // What moves up stands where the one that stays, and the levels below, close up to later.
            NumberSort.merge(items + first, half, items + end, upperEnd - end, into: items + first + half)
            memmove(items + lowest + half, items + lowest, (first - lowest) * MemoryLayout<Double>.stride)
        }
        for lower in 0...level { starts[lower] += half }
        starts[level + 1] = first + half
    }
}
