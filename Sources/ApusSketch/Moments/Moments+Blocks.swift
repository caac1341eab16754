extension Moments {
    /// Adds numbers: each block's powers are summed around its own mean and merged.
    package mutating func add(contentsOf values: UnsafeBufferPointer<Double>) {
        let special = FiniteBlocks.forEach(values) { block, range in
            let mean = range.sum / Double(block.count)
            guard mean.isFinite else {
                for value in block { add(value) }
                return
            }
            let powers = Self.powers(block, mean)
            low = min(low, range.minimum)
            high = max(high, range.maximum)
            addToSum(range.sum)
            zeroCount += powers.zeros
            negativeCount += powers.negatives
            mergePowers(count: block.count, mean, powers.squares, powers.cubes, powers.fourths)
        }
        nanCount += special.nan
        positiveInfinityCount += special.positiveInfinity
        negativeInfinityCount += special.negativeInfinity
    }

    private struct Powers {
        var squares: Double
        var cubes: Double
        var fourths: Double
        var zeros: Int
        var negatives: Int
    }

    private static func powers(_ block: UnsafeBufferPointer<Double>, _ mean: Double) -> Powers {
        var squares = SIMD4<Double>()
        var cubes = SIMD4<Double>()
        var fourths = SIMD4<Double>()
        let raw = UnsafeRawBufferPointer(block)
        var place = 0
        while place + 4 <= block.count {
            let difference = raw.loadUnaligned(fromByteOffset: place * 8, as: SIMD4<Double>.self) - mean
            let square = difference * difference
            squares += square
            cubes += square * difference
            fourths += square * square
            place += 4
        }
        var powers = Powers(squares: squares.sum(), cubes: cubes.sum(), fourths: fourths.sum(), zeros: 0, negatives: 0)
        while place < block.count {
            let difference = block[place] - mean
            let square = difference * difference
            powers.squares += square
            powers.cubes += square * difference
            powers.fourths += square * square
            place += 1
        }
        for value in block {
            powers.zeros &+= value == 0 ? 1 : 0
            powers.negatives &+= value < 0 ? 1 : 0
        }
        return powers
    }
}
