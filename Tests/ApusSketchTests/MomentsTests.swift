import ApusSketch
import Foundation
import Testing

@Suite struct MomentsTests {
    private func isNear(_ a: Double, _ b: Double, _ tolerance: Double = 1e-9) -> Bool {
        // Infinities equal themselves and have no difference.
        a == b || abs(a - b) <= tolerance * max(1, abs(a), abs(b))
    }

    private func expectNear(_ a: Moments, _ b: Moments, _ place: String) {
        #expect(a.count == b.count, "\(place)")
        #expect(a.minimum == b.minimum, "\(place)")
        #expect(a.maximum == b.maximum, "\(place)")
        #expect(a.zeroCount == b.zeroCount, "\(place)")
        #expect(a.negativeCount == b.negativeCount, "\(place)")
        #expect(a.nanCount == b.nanCount, "\(place)")
        #expect(a.positiveInfinityCount == b.positiveInfinityCount, "\(place)")
        #expect(a.negativeInfinityCount == b.negativeInfinityCount, "\(place)")
        #expect(isNear(a.sum, b.sum), "\(place)")
        #expect(isNear(a.mean, b.mean), "\(place)")
        #expect(isNear(a.variance, b.variance), "\(place)")
        #expect(isNear(a.skewness ?? -1, b.skewness ?? -1, 1e-7), "\(place)")
        #expect(isNear(a.kurtosis ?? -1, b.kurtosis ?? -1, 1e-7), "\(place)")
    }

    /// What the definitions say, in two passes.
    private func definition(_ values: [Double]) -> (mean: Double, variance: Double, skewness: Double, kurtosis: Double)
    {
        let n = Double(values.count)
        let mean = values.reduce(0, +) / n
        func moment(_ power: Int) -> Double {
            values.reduce(0) { sum, value in sum + (0..<power).reduce(1.0) { product, _ in product * (value - mean) } }
                / n
        }
        let (second, third, fourth) = (moment(2), moment(3), moment(4))
        let skewness = second > 0 ? third / (second * second.squareRoot()) * (n * (n - 1)).squareRoot() / (n - 2) : 0
        let excess = second > 0 ? fourth / (second * second) - 3 : 0
        let kurtosis = second > 0 ? (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6) : 0
        return (mean, second * n / (n - 1), skewness, kurtosis)
    }

    @Test(arguments: Numbers.allCases)
    func `statistics are those of the definitions`(numbers: Numbers) throws {
        for (size, seed) in [(4, 1), (5, 2), (511, 3), (512, 4), (513, 5), (10_007, 6)] as [(Int, UInt64)] {
            let values = numbers.make(size, seed: seed)
            let exact = definition(values)
            let zeros = values.count { $0 == 0 }
            let negatives = values.count { $0 < 0 }
            var single = Moments()
            for value in values { single.add(value) }
            for moments in [Moments(values), single] {
                #expect(moments.count == size)
                #expect(isNear(moments.mean, exact.mean))
                #expect(isNear(moments.sum, exact.mean * Double(size)))
                #expect(isNear(moments.variance, exact.variance))
                let (skewness, kurtosis) = (try #require(moments.skewness), try #require(moments.kurtosis))
                #expect(isNear(skewness, exact.skewness, 1e-7))
                #expect(isNear(kurtosis, exact.kurtosis, 1e-7))
                #expect(moments.minimum == values.min())
                #expect(moments.maximum == values.max())
                #expect(moments.zeroCount == zeros)
                #expect(moments.negativeCount == negatives)
            }
        }
    }

    /// `pandas.Series([2, 8, 0, 4, 1, 9, 9, 0])`: mean(), var(), skew(), kurt().
    @Test func `a known sample has the statistics of pandas`() throws {
        let moments = Moments([2, 8, 0, 4, 1, 9, 9, 0])
        #expect(moments.mean == 4.125)
        #expect(isNear(moments.variance, 15.839_285_714_285_714, 1e-12))
        let (skewness, kurtosis) = (try #require(moments.skewness), try #require(moments.kurtosis))
        #expect(isNear(skewness, 0.330_582_180_407_974_7, 1e-12))
        #expect(isNear(kurtosis, -2.098_602_258_096_087, 1e-12))
    }

    @Test(arguments: Numbers.allCases)
    func `parts merged in any order equal the whole`(numbers: Numbers) throws {
        for seed: UInt64 in 1...8 {
            var values = numbers.make(4_000 + Int(seed), seed: seed)
            for place in stride(from: Int(seed), to: values.count, by: 97) {
                values[place] = [.nan, .infinity, -.infinity, 0, -0.0][place % 5]
            }
            let parts = split(values, into: 3 * Int(seed), seed: seed).map { Moments($0) }
            expectNear(try #require(mergeAll(parts, seed: seed)), Moments(values), "\(numbers) \(seed)")
        }
    }

    @Test func `a small spread around a large mean keeps its digits`() throws {
        let values = Numbers.uniform.make(20_000, seed: 3).map { ($0 * 1_024).rounded() / 1_024 }
        let far = values.map { $0 + 1e10 }
        #expect(isNear(Moments(far).variance, Moments(values).variance, 1e-8))
        let parts = split(far, into: 9, seed: 1).map { Moments($0) }
        let merged = try #require(mergeAll(parts, seed: 1))
        #expect(isNear(merged.variance, Moments(values).variance, 1e-8))
    }

    @Test func `the sum does not lose small numbers among large ones`() {
        var moments = Moments()
        moments.add(1e16)
        for _ in 0..<1_000 { moments.add(1) }
        moments.add(-1e16)
        #expect(moments.sum == 1_000)
        var part = Moments([1e16])
        part.merge(Moments([1, 1, 1]))
        part.merge(Moments([-1e16]))
        #expect(part.sum == 3)
    }

    @Test func `nothing, one, and two numbers`() {
        let nothing = Moments()
        #expect(nothing.minimum == nil)
        #expect(nothing.maximum == nil)
        #expect(nothing.variance == 0)
        #expect(nothing.skewness == nil)
        var one = Moments([-3])
        one.merge(nothing)
        #expect(one == Moments([-3]))
        #expect(one.variance == 0)
        #expect(one.negativeCount == 1)
        var two = nothing
        two.merge(Moments([1, 3]))
        #expect(two.variance == 2)
        #expect(two.kurtosis == nil)
        #expect(two.standardDeviation == 2.0.squareRoot())
        #expect(Moments([5, 5, 5, 5]).skewness == 0)
        #expect(Moments([5, 5, 5, 5]).kurtosis == 0)
    }

    @Test func `what is not finite is counted and spoils nothing`() {
        for padding in [0, 600] {
            let values: [Double] = [.nan, 1, .infinity, 2, -.infinity, 3, .nan, .infinity, -0.0, -5]
            let moments = Moments(values + [Double](repeating: .nan, count: padding))
            #expect(moments.count == 5)
            #expect(moments.nanCount == 2 + padding)
            #expect(moments.positiveInfinityCount == 2)
            #expect(moments.negativeInfinityCount == 1)
            #expect(moments.zeroCount == 1)
            #expect(moments.negativeCount == 1)
            #expect(isNear(moments.mean, 0.2))
            #expect(moments.minimum == -5)
            #expect(moments.maximum == 3)
        }
    }

    @Test func `numbers too large for their powers leave what can be said`() throws {
        let huge = Double.greatestFiniteMagnitude
        var single = Moments()
        for value in [huge, -huge, huge, -huge, 1] { single.add(value) }
        var merged = Moments([huge, huge])
        merged.merge(Moments([-huge, -huge, 1]))
        for moments in [
            single, merged, Moments([huge, -huge, huge, -huge, 1]), Moments([huge, huge, huge, huge, huge]),
        ] {
            #expect(moments.count == 5)
            #expect(moments.mean.isFinite)
            #expect(!moments.variance.isNaN)
            #expect(!moments.sum.isNaN)
            #expect(moments.maximum == huge)
            #expect(try Moments(decoding: moments.encoded) == moments)
        }
        #expect(merged.variance == .infinity)
        #expect(merged.skewness == nil)
        #expect(merged.kurtosis == nil)
    }

    @Test func `counts stop before they overflow`() {
        var moments = Moments([1, 2, 3, .nan])
        for _ in 0..<80 { moments.merge(moments) }
        #expect(moments.count == 1 << 60)
        #expect(moments.nanCount == 1 << 60)
        #expect(isNear(moments.mean, 2))
    }

    @Test func `JSON keeps everything, and reads what serving has stored`() throws {
        for values: [Double] in [[], [1, .nan, 4, -.infinity, 0, 7], [1e300, -1e300, 3]] {
            let moments = Moments(values)
            let read = try JSONDecoder().decode(Moments.self, from: JSONEncoder().encode(moments))
            expectNear(read, moments, "\(values)")
        }
        let old = try JSONDecoder().decode(Moments.self, from: Data(#"{"count":3,"mean":2.5,"squares":4}"#.utf8))
        #expect(old.count == 3)
        #expect(old.mean == 2.5)
        #expect(old.variance == 2)
        #expect(old.sum == 7.5)
        #expect(old.minimum == nil)
        #expect(old.skewness == nil)
        var merged = Moments([1])
        merged.merge(old)
        #expect(merged.minimum == nil)
        #expect(try Moments(decoding: merged.encoded) == merged)
    }
}
