/// Goes through numbers by blocks that fit into the fastest cache, and takes out those that are not finite.
enum FiniteBlocks {
    static let size = 512

    /// What a look over a block tells.
    struct Range {
        /// Not finite if any number is not, or if it is too large.
        var sum: Double
        var minimum: Double
        var maximum: Double
    }

    /// How many of each there were among those taken out.
    struct Special {
        var nan = 0
        var positiveInfinity = 0
        var negativeInfinity = 0
    }

    /// Calls `body` with each block's finite numbers, if there are any, and what they sum up to.
    @inline(__always)
    static func forEach(
        _ values: UnsafeBufferPointer<Double>,
        _ body: (UnsafeBufferPointer<Double>, Range) -> Void
    ) -> Special {
        var special = Special()
        var start = 0
        while start < values.count {
            let block = UnsafeBufferPointer(rebasing: values[start..<min(values.count, start + size)])
            start += block.count
            let range = range(block)
            if range.sum.isFinite {
                body(block, range)
            } else {
                withUnsafeTemporaryAllocation(of: Double.self, capacity: block.count) { kept in
                    let finite = keepFinite(block, kept, &special)
                    if !finite.isEmpty { body(finite, Self.range(finite)) }
                }
            }
        }
        return special
    }

    private static func keepFinite(
        _ block: UnsafeBufferPointer<Double>,
        _ kept: UnsafeMutableBufferPointer<Double>,
        _ special: inout Special
    ) -> UnsafeBufferPointer<Double> {
        let infinity = Double.infinity.bitPattern
        var count = 0
        var numbers = 0
        // No branches on the numbers, and always written: wrong guesses would cost more than all else.
        for value in block {
            let magnitude = value.magnitude.bitPattern
            kept[count] = value
            count &+= Int(truncatingIfNeeded: (magnitude &- infinity) >> 63)
            numbers &+= Int(truncatingIfNeeded: (infinity &- magnitude) >> 63 ^ 1)
        }
        special.nan += block.count - numbers
        if numbers > count {
            for value in block {
                special.positiveInfinity += value == .infinity ? 1 : 0
                special.negativeInfinity += value == -.infinity ? 1 : 0
            }
        }
        return UnsafeBufferPointer(rebasing: kept[..<count])
    }

    /// Sum, minimum and maximum, eight lanes at a time.
    private static func range(_ block: UnsafeBufferPointer<Double>) -> Range {
        var sums = SIMD8<Double>()
        var low = SIMD8<Double>(repeating: .infinity)
        var high = SIMD8<Double>(repeating: -.infinity)
        let raw = UnsafeRawBufferPointer(block)
        var place = 0
        while place + 8 <= block.count {
            let eight = raw.loadUnaligned(fromByteOffset: place * 8, as: SIMD8<Double>.self)
            sums += eight
            low.replace(with: eight, where: eight .< low)
            high.replace(with: eight, where: eight .> high)
            place += 8
        }
        var range = Range(sum: sums.sum(), minimum: low.min(), maximum: high.max())
        while place < block.count {
            let value = block[place]
            range.sum += value
            if value < range.minimum { range.minimum = value }
            if value > range.maximum { range.maximum = value }
            place += 1
        }
        return range
    }
}
