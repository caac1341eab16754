import Serving
import Testing

#if canImport(Glibc)
    import Glibc
#endif

struct SequentialTests {
    /// Deals `requests` requests and looks at the test after each; returns after how many it was established.
    private func simulate(
        stable: Double,
        candidate: Double,
        tolerated: Double = 1,
        requests: Int,
        level: Double,
        share: (Int) -> Double,
        _ random: inout SeededGenerator
    ) -> Int? {
        var test = RatioTest(tolerated: tolerated)
        for index in 0..<requests {
            let part = share(index)
            let isOnCandidate = random.flip(part)
            guard random.flip(isOnCandidate ? candidate : stable) else { continue }
            test.observe(onCandidate: isOnCandidate, share: part)
            if test.isEstablished(level: level) { return index + 1 }
        }
        return nil
    }

    @Test(arguments: [(0.01, 5), (0.2, 25), (0.5, 50), (1.0, 10)])
    func `a candidate that is no worse is rolled back no oftener than promised, however often one looks`(
        rate: Double,
        percent: Int
    ) {
        var random = SeededGenerator(UInt64(percent))
        let rounds = 1_000
        var alarms = 0
        for _ in 0..<rounds {
            let end = simulate(
                stable: rate,
                candidate: rate,
                requests: 3_000,
                level: 0.05,
                share: { _ in Double(percent) / 100 },
                &random
            )
            if end != nil { alarms += 1 }
        }
        // 5 % are promised; three standard deviations of the simulation are added.
        #expect(Double(alarms) / Double(rounds) <= 0.05 + 0.021)
    }

    @Test func `the level holds while the share grows and while the rate of errors changes`() {
        var random = SeededGenerator(7)
        var alarms = 0
        for _ in 0..<1_000 {
            var test = RatioTest(tolerated: 1)
            for index in 0..<3_000 {
                let part = [0.05, 0.25, 0.5][index / 1_000]
                // An outage hits both versions alike.
                let rate = (500..<700).contains(index) ? 0.6 : 0.02
                let isOnCandidate = random.flip(part)
                if random.flip(rate) { test.observe(onCandidate: isOnCandidate, share: part) }
            }
            if test.isEstablished(level: 0.05) { alarms += 1 }
        }
        #expect(alarms <= 71)
    }

    @Test func `a candidate within the tolerated ratio is let through`() {
        var random = SeededGenerator(11)
        var alarms = 0
        for _ in 0..<500 {
            let end = simulate(
                stable: 0.02,
                candidate: 0.03,
                tolerated: 1.5,
                requests: 4_000,
                level: 0.05,
                share: { _ in 0.25 },
                &random
            )
            if end != nil { alarms += 1 }
        }
        #expect(alarms <= 40)
    }

    @Test func `a real regression is found, and a gross one at once`() {
        var random = SeededGenerator(3)
        var found = 0
        for _ in 0..<200 {
            let end = simulate(
                stable: 0.01,
                candidate: 0.04,
                requests: 10_000,
                level: 0.025,
                share: { _ in 0.25 },
                &random
            )
            if end != nil { found += 1 }
        }
        #expect(found >= 190)
        var ends: [Int] = []
        for _ in 0..<200 {
            let end = simulate(
                stable: 0.001,
                candidate: 1,
                requests: 2_000,
                level: 0.025,
                share: { _ in 0.05 },
                &random
            )
            ends.append(end ?? .max)
        }
        // Five in a hundred requests reach the candidate, and a handful of failures is enough.
        #expect(ends.sorted()[100] <= 120)
        #expect(ends.allSatisfy { $0 < 2_000 })
    }

    @Test func `without an event, and with requests all on one side, nothing is said`() {
        var test = RatioTest(tolerated: 1)
        #expect(test.pValue == 1)
        for _ in 0..<100 { test.observe(onCandidate: true, share: 1) }
        #expect(test.pValue == 1)
        #expect(test.candidate == 0)
    }

    @Test func `the interval of a rate holds at all times at once`() {
        var random = SeededGenerator(5)
        var misses = 0
        for round in 0..<500 {
            let rate = [0.001, 0.05, 0.5, 0.97][round % 4]
            var hits = 0
            for count in 1...1_000 {
                if random.flip(rate) { hits += 1 }
                guard count % 20 == 0 else { continue }
                let range = ConfidenceSequences.proportion(successes: hits, count: count, level: 0.1)
                if !range.contains(rate) {
                    misses += 1
                    break
                }
            }
        }
        #expect(misses <= 70)
    }

    @Test func `the interval of a rate narrows around what was seen`() {
        #expect(ConfidenceSequences.proportion(successes: 0, count: 0, level: 0.05) == 0...1)
        let none = ConfidenceSequences.proportion(successes: 0, count: 1_000, level: 0.05)
        #expect(none.lowerBound == 0)
        #expect(none.upperBound < 0.011)
        let half = ConfidenceSequences.proportion(successes: 5_000, count: 10_000, level: 0.05)
        #expect(half.contains(0.5))
        #expect(half.upperBound - half.lowerBound < 0.04)
        let all = ConfidenceSequences.proportion(successes: 10, count: 10, level: 0.05)
        #expect(all.upperBound == 1)
        #expect(all.contains(0.99))
    }

    @Test func `the interval of a mean holds at all times at once, also for skewed numbers`() {
        var random = SeededGenerator(9)
        var misses = 0
        for _ in 0..<400 {
            var moments = Moments()
            for _ in 0..<2_000 {
                // An exponential distribution with the mean 2.
                moments.add(-2 * log(Double.random(in: 1e-12..<1, using: &random)))
                guard moments.count >= ConfidenceSequences.minimumCount else { continue }
                if abs(moments.mean - 2) > ConfidenceSequences.radius(moments, level: 0.1) {
                    misses += 1
                    break
                }
            }
        }
        #expect(misses <= 60)
    }

    @Test func `a difference of means is seen when there is one`() throws {
        var random = SeededGenerator(13)
        var (base, other) = (Moments(), Moments())
        for _ in 0..<3_000 {
            base.add(Double.random(in: 0..<1, using: &random))
            other.add(Double.random(in: 0..<1, using: &random) - 0.2)
        }
        let difference = try #require(ConfidenceSequences.difference(base, other, level: 0.05))
        #expect(difference.contains(-0.2))
        #expect(difference.upperBound < 0)
        #expect(ConfidenceSequences.difference(base, Moments(), level: 0.05) == nil)
    }

    @Test func `a quantile of latencies is right to an eighth`() throws {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.5) == nil)
        for microseconds in 1...10_000 { histogram.record(UInt64(microseconds) * 1_000) }
        for part in [0.01, 0.5, 0.95, 0.99, 1] {
            let found = Double(try #require(histogram.quantile(part)))
            #expect(found >= part * 1e7 * 0.999)
            #expect(found <= part * 1e7 * 1.13)
        }
        histogram.record(.max)
        histogram.record(0)
        #expect(histogram.count == 10_002)
        let text = try StateText.encode(histogram)
        #expect(try StateText.decode(LatencyHistogram.self, text) == histogram)
    }
}
