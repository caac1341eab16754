import ApusSketch
import Testing

@Suite struct FrequentItemsTests {
    /// A stream in which the value `i` comes as often as Zipf's law has it, shuffled.
    private func zipf(_ distinct: Int, _ count: Int, exponent: Int, seed: UInt64) -> [String] {
        var random = SketchRandom(seed: seed)
        let weights = (1...distinct).map { value in (0..<exponent).reduce(1.0) { weight, _ in weight / Double(value) } }
        let sum = weights.reduce(0, +)
        var stream: [String] = []
        for (value, weight) in weights.enumerated() {
            let times = max(1, Int(weight / sum * Double(count)))
            stream += repeatElement("value-\(value)", count: times)
        }
        return stream.shuffled(using: &random)
    }

    private func sketch(_ stream: some Sequence<String>, capacity: Int = 128) -> FrequentItems {
        var sketch = FrequentItems(capacity: capacity)
        for value in stream { sketch.add(value) }
        return sketch
    }

    private func check(_ sketch: FrequentItems, _ stream: [String], _ place: String) {
        let exact = stream.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        let items = sketch.top(.max)
        #expect(sketch.total == stream.count, "\(place)")
        #expect(items.count <= sketch.capacity)
        #expect(sketch.maximumError <= stream.count / sketch.capacity, "\(place)")
        for item in items {
            let count = exact[item.text] ?? 0
            #expect(item.lowerBound <= count && count <= item.upperBound, "\(place): \(item.text)")
            #expect(item.upperBound - item.lowerBound <= sketch.maximumError, "\(place): \(item.text)")
        }
        let found = Set(items.map(\.text))
        for (value, count) in exact where count > sketch.maximumError {
            #expect(found.contains(value), "\(place): \(value) came \(count) times")
        }
        #expect(zip(items, items.dropFirst()).allSatisfy { $0.upperBound >= $1.upperBound })
    }

    @Test(arguments: [(50, 1), (2_000, 1), (2_000, 2), (20_000, 1)])
    func `bounds hold, and nothing frequent is missed`(distinct: Int, exponent: Int) {
        for seed: UInt64 in 1...4 {
            for capacity in [1, 7, 128] {
                let stream = zipf(distinct, 20_000, exponent: exponent, seed: seed)
                check(sketch(stream, capacity: capacity), stream, "shuffled \(seed) \(capacity)")
                check(sketch(stream.sorted(), capacity: capacity), stream, "sorted \(seed) \(capacity)")
                check(sketch(stream.sorted().reversed(), capacity: capacity), stream, "reversed \(seed) \(capacity)")
            }
        }
    }

    @Test(arguments: [(50, 1), (2_000, 1), (2_000, 2), (20_000, 1)])
    func `bounds hold after merging in any order`(distinct: Int, exponent: Int) throws {
        for seed: UInt64 in 1...5 {
            var stream = zipf(distinct, 20_000, exponent: exponent, seed: seed)
            // Parts that know quite different values are the hard case.
            if seed % 2 == 0 { stream.sort() }
            var random = SketchRandom(seed: seed)
            var parts: [[String]] = []
            var rest = stream[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...6_000, using: &random)
                parts.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            for capacity in [16, 128] {
                let merged = try #require(mergeAll(parts.map { sketch($0, capacity: capacity) }, seed: seed))
                check(merged, stream, "\(seed) \(capacity)")
                // It goes on as any other.
                var longer = merged
                for value in stream { longer.add(value) }
                check(longer, stream + stream, "\(seed) \(capacity), twice")
            }
        }
    }

    private func chunked(_ stream: [String], _ size: Int, capacity: Int) -> FrequentItems {
        var sketch = FrequentItems(capacity: capacity)
        var counter = FrequencyCounter()
        for start in stride(from: 0, to: stream.count, by: size) {
            let chunk = Array(stream[start..<min(stream.count, start + size)])
            chunk.map { SketchHash.hash($0) }.withUnsafeBufferPointer { hashes in
                sketch.add(hashes: hashes, with: &counter) { place, body in
                    Array(chunk[place].utf8).withUnsafeBytes(body)
                }
            }
        }
        return sketch
    }

    @Test(arguments: [(50, 1), (2_000, 1), (2_000, 2), (20_000, 1)])
    func `bounds hold for chunks, and nothing frequent is missed`(distinct: Int, exponent: Int) throws {
        for seed: UInt64 in 1...4 {
            for (capacity, size) in [(1, 1_000), (7, 3), (16, 5_000), (128, 100), (128, 8_192)] {
                let stream = zipf(distinct, 20_000, exponent: exponent, seed: seed)
                let place = "\(seed) \(capacity) \(size)"
                check(chunked(stream, size, capacity: capacity), stream, "shuffled \(place)")
                check(chunked(stream.sorted(), size, capacity: capacity), stream, "sorted \(place)")
                // It goes on as any other, and is merged and stored as any other.
                var longer = chunked(stream, size, capacity: capacity)
                for value in stream { longer.add(value) }
                check(longer, stream + stream, "twice \(place)")
                longer.merge(chunked(stream, size, capacity: capacity))
                check(longer, stream + stream + stream, "thrice \(place)")
                #expect(try FrequentItems(decoding: longer.encoded) == longer)
            }
        }
    }

    @Test func `chunks of values that all differ keep the first ones, and one value for all is exact`() {
        let stream = (0..<1_000).map { "\($0)" }
        let sketch = chunked(stream, 1_000, capacity: 10)
        #expect(Set(sketch.top(10).map(\.text)) == Set(stream.prefix(10)))
        #expect(chunked([String](repeating: "x", count: 999), 100, capacity: 2).top(1)[0].lowerBound == 999)
        #expect(chunked([], 10, capacity: 2).total == 0)
    }

    @Test func `renamed values keep their counts`() throws {
        let sketch = sketch(zipf(500, 5_000, exponent: 1, seed: 3), capacity: 20)
        let renamed = sketch.renamed { Array($0) + [0x21] }
        #expect(renamed.top(20).map(\.text) == sketch.top(20).map { $0.text + "!" })
        #expect(renamed.top(20).map(\.upperBound) == sketch.top(20).map(\.upperBound))
        #expect(renamed.total == sketch.total)
        var again = renamed
        again.add("value-0!")
        #expect(again.top(1)[0].upperBound == renamed.top(1)[0].upperBound + 1)
        #expect(try FrequentItems(decoding: renamed.encoded) == renamed)
    }

    @Test func `as many values as the capacity are counted exactly`() {
        let stream = zipf(128, 5_000, exponent: 1, seed: 2)
        let exact = stream.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        let sketch = sketch(stream)
        for item in sketch.top(200) {
            #expect(item.lowerBound == exact[item.text])
            #expect(item.upperBound == exact[item.text])
        }
        #expect(sketch.top(200).count == 128)
        #expect(sketch.top(3).count == 3)
        #expect(sketch.top(-1).isEmpty)
        #expect(sketch.isExact)
    }

    @Test func `nothing, one value, and the empty value`() {
        var sketch = FrequentItems()
        #expect(sketch.top(5).isEmpty)
        sketch.add("")
        sketch.merge(FrequentItems())
        var other = FrequentItems()
        other.merge(sketch)
        for sketch in [sketch, other] {
            #expect(sketch.top(5) == [FrequentItem(key: [], isTruncated: false, lowerBound: 1, upperBound: 1)])
            #expect(sketch.total == 1)
        }
    }

    @Test func `long values are kept apart by their hash`() {
        let beginning = String(repeating: "a", count: 300)
        var sketch = FrequentItems()
        for _ in 0..<3 { sketch.add(beginning + "x") }
        for _ in 0..<2 { sketch.add(beginning + "y") }
        sketch.add(String(repeating: "a", count: 256))
        sketch.add(String(repeating: "é", count: 200))
        let items = sketch.top(10)
        #expect(items.map(\.upperBound) == [3, 2, 1, 1])
        #expect(items.map(\.isTruncated) == [true, true, false, true])
        #expect(items[0].key == Array(repeating: UInt8(ascii: "a"), count: 256))
        #expect(items[3].text == String(repeating: "é", count: 128))
        var odd = FrequentItems()
        odd.add("." + String(repeating: "é", count: 200))
        // 256 would end in the middle of a character.
        #expect(odd.top(1).first?.text == "." + String(repeating: "é", count: 127))
        sketch.merge(sketch)
        #expect(sketch.top(10).map(\.upperBound) == [6, 4, 2, 2])
    }

    @Test func `values with one hash are two values`() {
        var sketch = FrequentItems(capacity: 4)
        for (text, times) in [("one", 3), ("two", 2), ("six", 1), ("ten", 1), ("four", 1), ("five", 2)] {
            Array(text.utf8).withUnsafeBytes { bytes in
                for _ in 0..<times { sketch.add(bytes, hash: 77) }
            }
        }
        #expect(sketch.total == 10)
        #expect(sketch.top(2).map(\.text) == ["one", "five"])
    }

    @Test func `counts are added by weight and stop before they overflow`() {
        var sketch = FrequentItems(capacity: 2)
        let key: [UInt8] = [1]
        for _ in 0..<9 { key.withUnsafeBytes { sketch.add($0, hash: SketchHash.hash($0), count: .max) } }
        key.withUnsafeBytes { sketch.add($0, hash: SketchHash.hash($0), count: -3) }
        #expect(sketch.total == 1 << 60)
        sketch.merge(sketch)
        #expect(sketch.top(1).first?.lowerBound == 1 << 60)
        sketch.add("b")
        sketch.add("c")
        #expect(sketch.top(2).count == 2)
    }

    @Test func `sketches of different capacities are merged to the lower one`() {
        let stream = zipf(500, 8_000, exponent: 1, seed: 6)
        for (a, b) in [(16, 128), (128, 16)] {
            var merged = sketch(stream.prefix(3_000), capacity: a)
            merged.merge(sketch(stream.dropFirst(3_000), capacity: b))
            #expect(merged.capacity == 16)
            check(merged, stream, "\(a) \(b)")
        }
        // The larger one knows but few, the smaller one has forgotten some.
        var few = sketch(["x"], capacity: 128)
        few.merge(sketch(stream, capacity: 16))
        check(few, stream + ["x"], "few")
    }
}
