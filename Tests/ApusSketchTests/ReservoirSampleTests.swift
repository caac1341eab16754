import ApusSketch
import Testing

@Suite struct ReservoirSampleTests {
    private func sample(_ elements: some Sequence<Int>, _ capacity: Int, seed: UInt64) -> ReservoirSample<Int> {
        var sample = ReservoirSample<Int>(capacity: capacity, seed: seed)
        for element in elements { sample.add(element) }
        return sample
    }

    /// χ² of how often each of 100 elements was taken, against equal chances; its mean is about 99 · (1 − part).
    private func chiSquare(_ rounds: Int, _ capacity: Int, _ make: (UInt64) -> [Int]) -> Double {
        var taken = [Int](repeating: 0, count: 100)
        for round in 0..<rounds {
            for element in make(UInt64(round)) { taken[element] += 1 }
        }
        let expected = Double(rounds * capacity) / 100
        return taken.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    }

    @Test(arguments: [1, 10, 40])
    func `each element is as likely as any other`(capacity: Int) {
        let found = chiSquare(5_000, capacity) { sample(0..<100, capacity, seed: $0 * 31 + 7).elements }
        // The 99.9 % point for 99 degrees of freedom.
        #expect(found < 148.2)
        #expect(found > 20)
    }

    @Test(arguments: [1, 10, 40])
    func `each element is as likely after merging parts of different sizes`(capacity: Int) {
        let found = chiSquare(5_000, capacity) { round in
            var merged = sample(0..<5, capacity, seed: round * 3 + 1_000_000)
            merged.merge(sample(5..<60, capacity, seed: round * 3 + 2_000_001))
            // What comes after a merge is taken as before it.
            for element in 60..<90 { merged.add(element) }
            var last = sample(90..<100, capacity, seed: round * 3 + 3_000_002)
            last.merge(merged)
            #expect(last.count == 100)
            return last.elements
        }
        #expect(found < 148.2)
        #expect(found > 20)
    }

    @Test func `the first ones of a sample are a sample`() {
        #expect(chiSquare(5_000, 3) { Array(sample(0..<100, 20, seed: $0 + 77).elements.prefix(3)) } < 148.2)
    }

    @Test func `a short sequence is taken whole`() {
        let short = sample(0..<7, 10, seed: 1)
        #expect(short.elements.sorted() == Array(0..<7))
        #expect(short.count == 7)
        #expect(sample([], 10, seed: 1).elements.isEmpty)
        var merged = short
        merged.merge(sample(7..<9, 10, seed: 2))
        #expect(merged.elements.sorted() == Array(0..<9))
        merged.merge(sample([], 10, seed: 3))
        #expect(merged.elements.sorted() == Array(0..<9))
    }

    @Test func `only what is taken is made`() {
        var made = 0
        var bulk = ReservoirSample<Int>(capacity: 100, seed: 4)
        for chunk in 0..<100 {
            bulk.offer(10_000) { place in
                made += 1
                return chunk * 10_000 + place
            }
        }
        #expect(bulk.count == 1_000_000)
        // About n (1 + log(N / n)) = 1021.
        #expect(made < 1_500)
        #expect(bulk == sample(0..<1_000_000, 100, seed: 4))
        #expect(Set(bulk.elements).count == 100)
    }

    @Test func `the seed alone decides`() {
        #expect(sample(0..<5_000, 20, seed: 9).elements == sample(0..<5_000, 20, seed: 9).elements)
        #expect(sample(0..<5_000, 20, seed: 9).elements != sample(0..<5_000, 20, seed: 10).elements)
    }

    @Test func `merging with a smaller sample leaves one of its size`() {
        var merged = sample(0..<1_000, 50, seed: 1)
        merged.merge(sample(1_000..<2_000, 10, seed: 2))
        #expect(merged.elements.count == 10)
        #expect(merged.count == 2_000)
        var small = sample(0..<1_000, 10, seed: 3)
        small.merge(sample(1_000..<2_000, 50, seed: 4))
        #expect(small.elements.count == 10)
        #expect(ReservoirSample<Int>(capacity: -4, seed: 0).capacity == 1)
    }
}
