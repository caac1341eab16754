extension QuantileSketch {
    /// k, counts, range, the counter, the generator, and the levels.
    package func write(to writer: inout SketchWriter) {
        writer.count(k)
        writer.count(finiteCount)
        writer.count(positiveInfinityCount)
        writer.count(negativeInfinityCount)
        writer.word(random.state)
        guard finiteCount > 0 else { return }
        writer.double(low)
        writer.double(high)
        writer.count(shift)
        writer.number(taken)
        writer.word(coins)
        for digit in 0..<shift where taken & 1 << UInt64(digit) != 0 { writer.double(digits[digit]) }
        writer.count(levelCount)
        for level in 0..<levelCount { writer.count(starts[level + 1] - starts[level]) }
        for place in starts[0]..<items.count { writer.double(items[place]) }
    }

    package init(reading reader: inout SketchReader) throws(SketchError) {
        let k = try reader.count("k", limit: Self.lengths.upperBound)
        guard k >= Self.lengths.lowerBound else { throw .damaged("k") }
        self.init(k: k)
        finiteCount = try reader.count("count")
        positiveInfinityCount = try reader.count("infinities", limit: maximumCount - finiteCount)
        negativeInfinityCount = try reader.count(
            "infinities",
            limit: maximumCount - finiteCount - positiveInfinityCount
        )
        random = SketchRandom(seed: try reader.word())
        guard finiteCount > 0 else { return }
        low = try reader.finite("minimum")
        high = try reader.finite("maximum")
        guard low <= high else { throw .damaged("range") }
        try readCounter(&reader)
        try readLevels(&reader)
    }

    private mutating func readCounter(_ reader: inout SketchReader) throws(SketchError) {
        shift = try reader.count("shift", limit: 60)
        taken = try reader.number()
        guard taken >> UInt64(shift) == 0 else { throw .damaged("counter") }
        coins = try reader.word()
        digits = [Double](repeating: 0, count: shift)
        for digit in 0..<shift where taken & 1 << UInt64(digit) != 0 { digits[digit] = try readItem(&reader) }
    }

    /// The levels' lengths and numbers; together with the counter they stand for as many as were counted.
    private mutating func readLevels(_ reader: inout SketchReader) throws(SketchError) {
        let levels = try reader.count("levels", limit: Self.levelLimit)
        guard levels > 0, shift == 0 || levels == Self.levelLimit, shift + levels <= 61 else {
            throw .damaged("levels")
        }
        let capacity = limits[..<levels].reduce(0, +)
        var counts: [Int] = []
        var free = capacity
        var weight = Int(taken)
        for level in 0..<levels {
            let count = try reader.count("level", limit: free)
            free -= count
            counts.append(count)
            let (product, overflow) = count.multipliedReportingOverflow(by: 1 << (shift + level))
            guard !overflow, product <= finiteCount - weight else { throw .damaged("weight") }
            weight += product
        }
        guard weight == finiteCount else { throw .damaged("weight") }
        guard reader.remaining >= (capacity - free) * 8 else { throw .truncated }
        items = [Double](repeating: 0, count: capacity)
        starts = [free]
        for (level, count) in counts.enumerated() {
            let start = starts[level]
            for place in start..<start + count {
                items[place] = try readItem(&reader)
                guard level == 0 || place == start || items[place - 1] <= items[place] else { throw .damaged("order") }
            }
            starts.append(start + count)
        }
    }

    private func readItem(_ reader: inout SketchReader) throws(SketchError) -> Double {
        let item = try reader.finite("item")
        guard item >= low, item <= high else { throw .damaged("item") }
        return item
    }

    /// Whether both would write the same bytes.
    package static func == (left: QuantileSketch, right: QuantileSketch) -> Bool { left.encoded == right.encoded }
}
