import ApusSketch
import Testing

@Suite struct HyperLogLogTests {
    /// Different values, from the generator that never repeats itself.
    private func hashes(_ count: Int, seed: UInt64) -> [UInt64] {
        var random = SketchRandom(seed: seed &* 0x1234_5678_9ABC_DEF1)
        return (0..<count).map { _ in random.next() }
    }

    private func sketch(_ hashes: some Sequence<UInt64>, precision: Int = 14) -> HyperLogLog {
        var sketch = HyperLogLog(precision: precision)
        for hash in hashes { sketch.add(hash: hash) }
        return sketch
    }

    @Test(arguments: [12, 14, 16])
    func `the error is as stated for many sizes and seeds`(precision: Int) {
        for size in [2_000, 5_000, 20_000, 40_000, 70_000, 200_000] {
            let seeds = 1...24
            var squares = 0.0
            for seed in seeds {
                let sketch = sketch(hashes(size, seed: UInt64(seed * 1_000 + size)), precision: precision)
                let error = sketch.estimate / Double(size) - 1
                #expect(abs(error) < 4 * sketch.relativeError, "\(size) \(seed)")
                squares += error * error
            }
            // The root of the mean square of 24 errors is within 40 % of the standard error, but for one in 200.
            let root = (squares / Double(seeds.count)).squareRoot()
            #expect(root < 1.4 * HyperLogLog(precision: precision).relativeError, "\(size)")
        }
    }

    @Test func `the estimate has no bias where the raw one would`() {
        let precision = 12
        let size = 10_000
        let mean = (1...60).reduce(0.0) { sum, seed in
            sum + sketch(hashes(size, seed: UInt64(seed)), precision: precision).estimate / 60
        }
        let standardError = HyperLogLog(precision: precision).relativeError / 60.0.squareRoot()
        #expect(abs(mean / Double(size) - 1) < 3 * standardError)
    }

    @Test func `few values are counted exactly, however often they come`() {
        var sketch = HyperLogLog()
        #expect(sketch.estimate == 0)
        for round in 0..<50 {
            for value in 0..<500 { sketch.add(Double(value * (round % 2 == 0 ? 1 : -1))) }
        }
        #expect(!sketch.isDense)
        // One is both 0 and −0.
        #expect(sketch.estimate.rounded() == 999)
        #expect(sketch.encoded.count < 5_000)
    }

    @Test(arguments: Numbers.allCases)
    func `parts merged in any order equal the whole to the bit`(numbers: Numbers) throws {
        for seed: UInt64 in 1...6 {
            let all = numbers.make(Int(seed) * 3_000, seed: seed)
            let parts = split(all, into: 2 + Int(seed) * 3, seed: seed).map { HyperLogLog($0) }
            let merged = try #require(mergeAll(parts, seed: seed))
            let whole = HyperLogLog(all)
            #expect(merged == whole)
            #expect(merged.encoded == whole.encoded)
            #expect(merged.estimate == whole.estimate)
            let distinct = Double(Set(all).count)
            #expect(abs(whole.estimate - distinct) <= 4 * whole.relativeError * distinct)
        }
    }

    @Test(arguments: [0, 1, 200, 255, 256, 1_000, 1_023, 1_024, 30_000])
    func `a sketch of higher precision is merged as if it had been of the lower one`(count: Int) {
        let all = hashes(count, seed: 5)
        let low = sketch(all, precision: 12)
        for precision in 13...16 {
            var merged = sketch(all.prefix(count / 3), precision: precision)
            merged.merge(sketch(all.suffix(from: count / 3), precision: 12))
            #expect(merged == low)
            var turned = sketch(all.suffix(from: count / 3), precision: 12)
            turned.merge(sketch(all.prefix(count / 3), precision: precision))
            #expect(turned == low)
        }
    }

    @Test func `all ways to add a value are one`() {
        let numbers: [Double] = (0..<3_000).map { Double($0 % 1_700) - 5 }
        let whole = HyperLogLog(numbers)
        var single = HyperLogLog()
        for number in numbers { single.add(number) }
        var integers = HyperLogLog()
        numbers.map { Int64($0) }.withUnsafeBufferPointer { integers.add(contentsOf: $0) }
        var hashed = HyperLogLog()
        numbers.map { SketchHash.hash($0) }.withUnsafeBufferPointer { hashed.add(hashes: $0) }
        #expect(whole == single)
        #expect(whole == integers)
        #expect(whole == hashed)
        var text = HyperLogLog()
        for number in numbers { Array("\(number)".utf8).withUnsafeBytes { text.add($0) } }
        #expect(abs(text.estimate - 1_700) < 4 * text.relativeError * 1_700)
    }

    @Test func `NaN is no value, and infinities are two`() {
        var sketch = HyperLogLog([.nan, .infinity, -.infinity, .nan, .infinity])
        sketch.add(.nan)
        #expect(sketch.estimate.rounded() == 2)
    }

    @Test func `a precision that is out of range is the nearest one`() {
        #expect(HyperLogLog(precision: 3).precision == 12)
        #expect(HyperLogLog(precision: 99).precision == 16)
    }

    @Test func `hashes at the ends have registers too`() {
        for precision in 12...16 {
            var sketch = HyperLogLog(precision: precision)
            for hash: UInt64 in [0, .max, 1, 1 << 63] { sketch.add(hash: hash) }
            let few = sketch
            // The same hashes in registers.
            for hash in hashes(10_000, seed: 3) { sketch.add(hash: hash) }
            var dense = self.sketch(hashes(10_000, seed: 3), precision: precision)
            for hash: UInt64 in [0, .max, 1, 1 << 63] { dense.add(hash: hash) }
            #expect(sketch == dense)
            #expect(few.estimate.rounded() == 3)
            #expect(dense.estimate.isFinite)
        }
    }
}
