import ApusSketch
import Testing

/// Bytes that anybody may have made up never bring the process down, and never take much memory.
@Suite struct EncodingTests {
    private static func quantiles(_ count: Int) -> QuantileSketch {
        QuantileSketch(Numbers.normal.make(count, seed: 1) + [.infinity, .nan], seed: 2)
    }

    private static func items(_ count: Int) -> FrequentItems {
        var sketch = FrequentItems(capacity: 20)
        for value in 0..<count { sketch.add("\(value % 37)" + String(repeating: "é", count: value % 5 * 70)) }
        return sketch
    }

    private static let hyperLogLogs =
        [0, 1, 300, 1_023, 1_024, 9_000].map {
            HyperLogLog(Numbers.uniform.make($0, seed: 1))
        } + [HyperLogLog(Numbers.uniform.make(500, seed: 2), precision: 12)]
    private static let quantileSketches = [0, 1, 200, 201, 3_000, 100_001].map { quantiles($0) }
    private static let frequentItems = [0, 1, 20, 21, 400].map { items($0) }
    private static let moments = [0, 1, 2, 5_000].map {
        Moments(Numbers.heavyTail.make($0, seed: 1) + [.nan, .infinity])
    }

    private static let samples = [0, 1, 20, 21, 400].map { count in
        var sample = ReservoirSample<[Double]>(capacity: 20, seed: 3)
        for value in 0..<count { sample.add([Double(value), 0.5]) }
        return sample
    }

    private func roundTrip<S: Sketch>(_ sketches: [S], _ extend: (inout S) -> Void) throws {
        for sketch in sketches {
            var read = try S(decoding: sketch.encoded)
            #expect(read == sketch)
            #expect(read.encoded == sketch.encoded)
            // What was read goes on exactly as what was written.
            var kept = sketch
            extend(&kept)
            extend(&read)
            #expect(read == kept)
            kept.merge(sketch)
            read.merge(sketch)
            #expect(read == kept)
            #expect(try S(decoding: read.encoded) == read)
        }
    }

    @Test func `what was written is read, and goes on the same`() throws {
        let more = Numbers.normal.make(2_345, seed: 77)
        try roundTrip(Self.hyperLogLogs) { sketch in more.withUnsafeBufferPointer { sketch.add(contentsOf: $0) } }
        try roundTrip(Self.quantileSketches) { sketch in more.withUnsafeBufferPointer { sketch.add(contentsOf: $0) } }
        try roundTrip(Self.moments) { sketch in more.withUnsafeBufferPointer { sketch.add(contentsOf: $0) } }
        try roundTrip(Self.samples) { sketch in for value in more { sketch.add([value, -value]) } }
        try roundTrip(Self.frequentItems) { sketch in for value in more { sketch.add("\(Int(value))") } }
    }

    /// The encoding is stored: a change of it needs a new version.
    @Test func `the bytes of some sketches are pinned`() {
        func hash(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { SketchHash.hash($0) } }
        let values = (0..<5_000).map { Double($0 * 7_919 % 5_003) / 8 }
        var items = FrequentItems(capacity: 8)
        for value in values { items.add("\(Int(value) % 11)") }
        #expect(hash(HyperLogLog(Array(values.prefix(100))).encoded) == 18_157_044_759_765_542_618)
        #expect(hash(HyperLogLog(values).encoded) == 7_246_327_839_940_396_843)
        #expect(hash(QuantileSketch(values, seed: 1).encoded) == 6_439_506_213_459_947_121)
        #expect(hash(items.encoded) == 7_127_360_946_174_086_111)
        #expect(hash(Moments(values).encoded) == 16_653_651_807_751_297_813)
    }

    @Test func `an error says what is wrong`() {
        let bytes = Moments([1, 2]).encoded
        #expect(throws: SketchError.notASketch) { try Moments(decoding: []) }
        #expect(throws: SketchError.notASketch) { try Moments(decoding: Array("hello world".utf8)) }
        #expect(throws: SketchError.truncated) { try Moments(decoding: Array(bytes.prefix(5))) }
        #expect(throws: SketchError.otherKind(expected: 1, found: 4)) { try HyperLogLog(decoding: bytes) }
        #expect(throws: SketchError.damaged("checksum")) { try Moments(decoding: Array(bytes.dropLast())) }
        var later = bytes
        later[3] = 9
        #expect(throws: SketchError.unsupportedVersion(9)) { try Moments(decoding: later) }
        #expect(throws: SketchError.damaged("bytes after the end")) {
            try Moments(decoding: sealed(bytes.dropLast(4) + [0]))
        }
        #expect("\(SketchError.damaged("range"))" == "The sketch is damaged: range")
    }

    @Test func `any flipped bit is found`() {
        for bytes in [Self.hyperLogLogs[2].encoded, Self.moments[3].encoded] {
            for bit in 0..<bytes.count * 8 {
                var damaged = bytes
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(throws: SketchError.self) { try HyperLogLog(decoding: damaged) }
                #expect(throws: SketchError.self) { try Moments(decoding: damaged) }
            }
        }
    }

    /// The content with a checksum that fits, as somebody hostile would make it.
    private func sealed(_ content: some Sequence<UInt8>) -> [UInt8] {
        let content = Array(content)
        let sum = SketchWriter.checksum(content[...])
        return content + withUnsafeBytes(of: sum.littleEndian) { Array($0) }
    }

    /// Uses all that was decoded, with everything that could trap.
    private func use<S: Sketch>(_ bytes: [UInt8], _ use: (inout S) -> Void) -> Bool {
        guard var sketch = try? S(decoding: bytes) else { return false }
        use(&sketch)
        let twin = sketch
        for _ in 0..<3 { sketch.merge(twin) }
        use(&sketch)
        // It must be able to write what can be read again.
        #expect(throws: Never.self) { try S(decoding: sketch.encoded) }
        return true
    }

    private func useAny(_ bytes: [UInt8]) -> Bool {
        let values: [Double] = (0..<700).map { Double($0 % 90) } + [.nan, .infinity, -1e308, 1e308]
        return use(bytes) { (sketch: inout HyperLogLog) in
            values.withUnsafeBufferPointer { sketch.add(contentsOf: $0) }
            #expect(sketch.estimate > 0)
        }
            || use(bytes) { (sketch: inout QuantileSketch) in
                values.withUnsafeBufferPointer { sketch.add(contentsOf: $0) }
                sketch.add(3, weight: 1 << 40)
                _ = sketch.quantiles([0, 0.1, 0.5, 0.999, 1])
                _ = sketch.rank(of: 4)
                let histogram = sketch.histogram(bins: 7)
                #expect(histogram?.counts.reduce(0, +) == sketch.finiteCount)
                #expect(histogram?.counts.allSatisfy { $0 >= 0 } ?? false)
            }
            || use(bytes) { (sketch: inout FrequentItems) in
                for value in values { sketch.add("\(value)") }
                for item in sketch.top(.max) { #expect(0 <= item.lowerBound && item.lowerBound <= item.upperBound) }
            }
            || use(bytes) { (sketch: inout ReservoirSample<[Double]>) in
                let width = sketch.elements.first?.count ?? 2
                for value in values { sketch.add([Double](repeating: value, count: width)) }
                #expect(sketch.elements.count <= sketch.capacity)
            }
            || use(bytes) { (sketch: inout Moments) in
                values.withUnsafeBufferPointer { sketch.add(contentsOf: $0) }
                #expect(!sketch.variance.isNaN)
                _ = (sketch.skewness, sketch.kurtosis, sketch.sum)
            }
    }

    @Test func `random bytes behind a good head are refused or used without harm`() {
        var random = SketchRandom(seed: 1)
        for _ in 0..<40_000 {
            let count = Int.random(in: 0...80, using: &random)
            // Small numbers are likelier to pass the first checks.
            let limit: UInt8 = Bool.random(using: &random) ? 255 : 3
            let body = (0..<count).map { _ in UInt8.random(in: 0...limit, using: &random) }
            _ = useAny(sealed([0x6B, 0x41, UInt8.random(in: 0...5, using: &random), 1] + body))
        }
    }

    @Test func `mutated sketches are refused or used without harm`() {
        var seeds = Self.hyperLogLogs.prefix(3).map(\.encoded) + Self.quantileSketches.map(\.encoded)
        seeds += Self.frequentItems.map(\.encoded) + Self.moments.map(\.encoded) + Self.samples.map(\.encoded)
        var random = SketchRandom(seed: 2)
        var accepted = 0
        for round in 0..<12_000 {
            var bytes = Array(seeds[round % seeds.count].dropLast(4))
            for _ in 0..<Int.random(in: 1...4, using: &random) where bytes.count > 4 {
                // The counts at the beginning are the interesting ones.
                let end = Bool.random(using: &random) ? bytes.count : min(bytes.count, 48)
                let place = Int.random(in: 4..<end, using: &random)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes[place] = .random(in: 0...255, using: &random)
                case 2: bytes.remove(at: place)
                case 3: bytes.insert(.random(in: 0...255, using: &random), at: place)
                case 4: bytes.removeSubrange(place...)
                default:
                    bytes.replaceSubrange(
                        place..<min(bytes.count, place + 8),
                        with: [255, 255, 255, 255, 255, 255, 255, 127]
                    )
                }
            }
            if useAny(sealed(bytes)) { accepted += 1 }
        }
        // Else the checks behind the checksum would not have been tried.
        #expect(accepted > 500)
        #expect(accepted < 11_000)
    }

    @Test(
        arguments: [
            // A HyperLogLog with 2^40 entries, with registers that are not there, and of a precision that is not there.
            [1, 1, 14, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x04], [1, 1, 14, 1], [1, 1, 60, 0, 0],
            // A quantile sketch with an enormous k, and with a level of 2^50 numbers.
            [2, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 0, 0],
            [2, 1, 0xC8, 0x01, 1, 0, 0] + [UInt8](repeating: 0, count: 8 + 16) + [0, 0]
                + [UInt8](repeating: 0, count: 8)
                + [1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02],
            // Frequent items with an enormous capacity, with 4096 entries that are not there, and with a key of 2^40
            // bytes.
            [3, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0, 0], [3, 1, 0x80, 0x20, 5, 0x80, 0x20, 0, 0],
            [3, 1, 8, 5, 1, 0, 0, 1, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20],
            // A number without an end.
            [4, 1] + [UInt8](repeating: 0xFF, count: 40),
        ] as [[UInt8]]
    )
    func `lengths are not believed`(body: [UInt8]) {
        #expect(!useAny(sealed([0x6B, 0x41] + body)))
    }
}
