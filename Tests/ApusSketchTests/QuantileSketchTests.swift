import ApusSketch
import Testing

@Suite struct QuantileSketchTests {
    /// The errors of the ranks 1 % to 99 % against the sorted numbers.
    private func errors(_ sketch: QuantileSketch, _ numbers: [Double]) -> [Double] {
        let sorted = numbers.sorted()
        let view = sketch.view
        return (1..<100).compactMap { percent in
            let place = sorted.count * percent / 100
            guard let rank = view.rank(of: sorted[place]) else { return nil }
            // All equal numbers have the rank of the last of them.
            let upper = sorted.partitioningIndex { $0 > sorted[place] }
            return abs(rank - Double(upper) / Double(sorted.count))
        }
    }

    @Test(arguments: Numbers.allCases)
    func `ranks are within the bound`(numbers: Numbers) {
        var all: [Double] = []
        for (size, seeds) in [(1_000, 1...10), (30_000, 11...20), (300_000, 21...24)] {
            for seed in seeds {
                let values = numbers.make(size, seed: UInt64(seed))
                let sketch = QuantileSketch(values, seed: UInt64(seed))
                let found = errors(sketch, values)
                #expect(found.count == 99)
                all += found
                #expect(sketch.minimum == values.min())
                #expect(sketch.maximum == values.max())
                #expect(sketch.count == size)
            }
        }
        all.sort()
        #expect(all[all.count * 99 / 100] <= QuantileSketch().rankError)
        #expect((all.last ?? 1) <= 1.5 * QuantileSketch().rankError)
    }

    @Test(arguments: [50, 100, 400, 1_000])
    func `the error falls with k`(k: Int) {
        var all: [Double] = []
        for seed: UInt64 in 1...15 {
            let values = Numbers.uniform.make(60_000, seed: seed)
            all += errors(QuantileSketch(values, k: k, seed: seed), values)
        }
        all.sort()
        #expect(all[all.count * 99 / 100] <= QuantileSketch(k: k).rankError)
    }

    @Test func `errors have no bias`() {
        let size = 100_000
        var sum = 0.0
        let seeds = 200
        for seed in 0..<seeds {
            let values = Numbers.uniform.make(size, seed: UInt64(seed))
            let below = values.reduce(0.0) { $0 + ($1 <= 0.5 ? 1 : 0) }
            sum += (QuantileSketch(values, seed: UInt64(seed)).rank(of: 0.5) ?? 0) - below / Double(size)
        }
        // The standard deviation of one error is about 0.3 %.
        #expect(abs(sum / Double(seeds)) < 3 * 0.003 / Double(seeds).squareRoot())
    }

    @Test(arguments: Numbers.allCases)
    func `parts merged in any order are within the bound of the whole`(numbers: Numbers) throws {
        var all: [Double] = []
        for seed: UInt64 in 1...12 {
            let values = numbers.make(20_000 * Int(1 + seed % 4), seed: seed)
            let parts = split(values, into: 2 + Int(seed) * 4, seed: seed)
            let merged = try #require(
                mergeAll(parts.enumerated().map { QuantileSketch($1, seed: UInt64($0)) }, seed: seed)
            )
            #expect(merged.count == values.count)
            #expect(merged.minimum == values.min())
            #expect(merged.maximum == values.max())
            #expect(merged.encoded.count < 5_000)
            all += errors(merged, values)
            // It goes on as any other.
            #expect(try QuantileSketch(decoding: merged.encoded) == merged)
        }
        all.sort()
        #expect(all[all.count * 99 / 100] <= QuantileSketch().rankError)
    }

    @Test func `many small parts are as good as the whole`() throws {
        let values = Numbers.normal.make(200_000, seed: 9)
        var merged = QuantileSketch()
        for start in stride(from: 0, to: values.count, by: 250) {
            merged.merge(QuantileSketch(Array(values[start..<start + 250]), seed: UInt64(start)))
        }
        let found = errors(merged, values).sorted()
        #expect(found[98] <= merged.rankError)
        #expect(merged.count == values.count)
    }

    @Test func `a long sketch takes in short ones and the other way round`() {
        let long = Numbers.uniform.make(400_000, seed: 1)
        let short = Numbers.uniform.make(333, seed: 2).map { $0 + 10 }
        var first = QuantileSketch(long, seed: 1)
        first.merge(QuantileSketch(short, seed: 2))
        var second = QuantileSketch(short, seed: 2)
        second.merge(QuantileSketch(long, seed: 1))
        for sketch in [first, second] {
            #expect(sketch.count == 400_333)
            #expect(sketch.maximum == short.max())
            #expect(abs((sketch.rank(of: 5) ?? 0) - 400_000 / 400_333) < 0.001)
            #expect(errors(sketch, long + short).allSatisfy { $0 < 1.5 * sketch.rankError })
        }
    }

    @Test func `sketches of different k are merged to the lower one`() {
        let values = Numbers.uniform.make(50_000, seed: 4)
        for (a, b) in [(100, 400), (400, 100)] {
            var sketch = QuantileSketch(Array(values.prefix(30_000)), k: a, seed: 1)
            sketch.merge(QuantileSketch(Array(values.suffix(20_000)), k: b, seed: 2))
            #expect(sketch.k == 100)
            #expect(sketch.count == 50_000)
            #expect(errors(sketch, values).allSatisfy { $0 < 1.5 * sketch.rankError })
        }
    }

    @Test func `bytes depend on the order of numbers only, not on how they were dealt`() {
        for size in [1, 199, 200, 201, 5_000, 123_457] {
            let values = Numbers.normal.make(size, seed: 8)
            let whole = QuantileSketch(values, seed: 3)
            #expect(QuantileSketch(values, seed: 3).encoded == whole.encoded)
            var single = QuantileSketch(seed: 3)
            for value in values { single.add(value) }
            #expect(single.encoded == whole.encoded)
            var dealt = QuantileSketch(seed: 3)
            for part in split(values, into: 40, seed: 1) {
                part.withUnsafeBufferPointer { dealt.add(contentsOf: $0) }
            }
            #expect(dealt.encoded == whole.encoded)
        }
        let values = Numbers.normal.make(5_000, seed: 8)
        #expect(QuantileSketch(values, seed: 3) != QuantileSketch(values, seed: 4))
    }

    @Test func `few numbers have the quantiles of numpy`() {
        let sketch = QuantileSketch([4, 1, 3, 2])
        #expect(sketch.isExact)
        // numpy.quantile([4, 1, 3, 2], [...])
        #expect(sketch.quantiles([0, 0.25, 0.5, 0.9, 1]) == [1, 1.75, 2.5, 3.7, 4])
        #expect(sketch.rank(of: 0) == 0)
        #expect(sketch.rank(of: 1) == 0.25)
        #expect(sketch.rank(of: 3.5) == 0.75)
        #expect(sketch.rank(of: 4) == 1)
        #expect(sketch.quantile(-1) == 1)
        #expect(sketch.quantile(7) == 4)
    }

    @Test func `nothing and one number`() {
        let nothing = QuantileSketch()
        #expect(nothing.quantile(0.5) == nil)
        #expect(nothing.quantiles([0, 1]).isEmpty)
        #expect(nothing.rank(of: 1) == nil)
        #expect(nothing.minimum == nil)
        #expect(nothing.histogram(bins: 3) == nil)
        var one = QuantileSketch([7])
        #expect(one.quantiles([0, 0.5, 1]) == [7, 7, 7])
        #expect(one.histogram(bins: 2) == ValueHistogram(edges: [6.5, 7, 7.5], counts: [0, 1]))
        one.merge(nothing)
        #expect(one == QuantileSketch([7]))
        var other = nothing
        other.merge(one)
        #expect(other.quantile(0.5) == 7)
        #expect(one.quantile(.nan) == nil)
        #expect(one.rank(of: .nan) == nil)
    }

    @Test func `NaN is left out, and infinities are the ends`() {
        var sketch = QuantileSketch([.nan, 1, .infinity, 2, -.infinity, 3, .nan, .infinity])
        #expect(sketch.count == 6)
        #expect(sketch.finiteCount == 3)
        #expect(sketch.minimum == -.infinity)
        #expect(sketch.maximum == .infinity)
        #expect(sketch.quantiles([0, 0.2, 0.4, 0.6, 0.8, 1]) == [-.infinity, 1, 2, 3, .infinity, .infinity])
        #expect(sketch.rank(of: -.infinity) == 1.0 / 6)
        #expect(sketch.rank(of: 2) == 0.5)
        #expect(sketch.rank(of: 1e300) == 4.0 / 6)
        #expect(sketch.rank(of: .infinity) == 1)
        #expect(sketch.histogram(bins: 2) == ValueHistogram(edges: [1, 2, 3], counts: [1, 2]))
        sketch.merge(QuantileSketch([.infinity]))
        #expect(sketch.count == 7)
        let only = QuantileSketch([.infinity, -.infinity])
        #expect(only.quantiles([0, 1]) == [-.infinity, .infinity])
        #expect(only.histogram(bins: 4) == nil)
    }

    @Test func `the largest doubles do not overflow`() throws {
        let sketch = QuantileSketch([-.greatestFiniteMagnitude, .greatestFiniteMagnitude, 0])
        #expect(sketch.quantile(0.5) == 0)
        #expect(QuantileSketch([-.greatestFiniteMagnitude, .greatestFiniteMagnitude]).quantile(0.5) == 0)
        let histogram = try #require(sketch.histogram(bins: 4))
        #expect(histogram.edges.allSatisfy { $0.isFinite })
        #expect(histogram.counts == [1, 0, 1, 1])
    }

    @Test(arguments: Numbers.allCases)
    func `a histogram is near the true one, and nothing is lost`(numbers: Numbers) throws {
        let values = numbers.make(50_000, seed: 3)
        let sketch = QuantileSketch(values, seed: 3)
        let histogram = try #require(sketch.histogram(bins: 20))
        #expect(histogram.counts.reduce(0, +) == values.count)
        #expect(histogram.counts.allSatisfy { $0 >= 0 })
        #expect(histogram.edges.count == 21)
        #expect(zip(histogram.edges, histogram.edges.dropFirst()).allSatisfy { $0 < $1 })
        for (bin, count) in histogram.counts.enumerated() {
            let (low, high) = (histogram.edges[bin], histogram.edges[bin + 1])
            let exact = values.count { $0 >= low && ($0 < high || bin == 19 && $0 == high) }
            #expect(Double(abs(exact - count)) <= 1.5 * sketch.intervalError * 50_000, "\(bin)")
        }
    }

    @Test func `a weight counts as so many numbers`() throws {
        var sketch = QuantileSketch()
        var random = SketchRandom(seed: 5)
        var pairs: [(Double, Int)] = []
        for _ in 0..<3_000 {
            let pair = (Double.random(in: 0...1, using: &random), Int.random(in: 1...5_000, using: &random))
            pairs.append(pair)
            sketch.add(pair.0, weight: pair.1)
        }
        let total = pairs.reduce(0) { $0 + $1.1 }
        #expect(sketch.count == total)
        for point in stride(from: 0.05, to: 1, by: 0.05) {
            let exact = pairs.reduce(0) { $0 + ($1.0 <= point ? $1.1 : 0) }
            #expect(abs((sketch.rank(of: point) ?? 0) - Double(exact) / Double(total)) < 1.5 * sketch.rankError)
        }
        #expect(try QuantileSketch(decoding: sketch.encoded) == sketch)
        sketch.add(1, weight: 0)
        sketch.add(1, weight: -5)
        sketch.add(.nan, weight: 5)
        #expect(sketch.count == total)
    }

    @Test func `weights and counts end where they would overflow`() throws {
        var sketch = QuantileSketch([1, 2, 3])
        sketch.add(5, weight: 1 << 59)
        sketch.add(9, weight: .max)
        #expect(sketch.count == 1 << 59 + 3)
        let other = sketch
        sketch.merge(other)
        #expect(sketch.count == 1 << 59 + 3)
        sketch.add(7, weight: 1 << 60 - sketch.count)
        #expect(sketch.count == 1 << 60)
        sketch.add(8)
        #expect(sketch.count == 1 << 60)
        #expect(sketch.quantile(0.25) == 5)
        #expect(sketch.quantile(0.75) == 7)
        #expect(try QuantileSketch(decoding: sketch.encoded) == sketch)
    }
}

extension [Double] {
    /// The first place of a sorted array at which something holds.
    func partitioningIndex(_ holds: (Double) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
