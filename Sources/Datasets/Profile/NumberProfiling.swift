import ApusSketch
import ApusTable

/// What profiles of integers, numbers and moments in time share.
struct NumberSketches {
    var moments = Moments()
    var quantiles: QuantileSketch
    /// By the eight bytes of a value, which become its text at the end.
    private var frequent: FrequentItems
    private var counter = FrequencyCounter()
    private let hashes = ChunkBuffer<UInt64>()

    init(_ profiler: TableProfiler, seed: UInt64) {
        quantiles = QuantileSketch(k: profiler.quantileLength, seed: seed)
        frequent = FrequentItems(capacity: profiler.frequentCount)
    }

    /// Counts so many values by their bits, and how many differ; gets bits and hash of the value at a place.
    @inline(__always)
    mutating func count(
        _ count: Int,
        _ distinct: inout HyperLogLog,
        _ bits: (Int) -> UInt64,
        _ hash: (Int) -> UInt64
    ) {
        let hashes = hashes.filled(count, hash)
        distinct.add(hashes: hashes)
        frequent.add(hashes: hashes, with: &counter) { place, body in
            withUnsafeBytes(of: bits(place).littleEndian) { body($0) }
        }
    }

    /// Writes what is known to a profile; `text` makes a value's text from its bits.
    func finish(_ profile: inout ColumnProfile, _ text: (UInt64) -> String) {
        profile.quantiles = quantiles
        profile.frequent = frequent.renamed { key in
            var bits: UInt64 = 0
            for byte in key.reversed() { bits = bits << 8 | UInt64(byte) }
            return Array(text(bits).utf8)
        }
    }

    func finishNumbers(_ profile: inout ColumnProfile) {
        profile.moments = moments
        profile.nanCount = moments.nanCount
        profile.infiniteCount = moments.positiveInfinityCount + moments.negativeInfinityCount
        profile.zeroCount = moments.zeroCount
        profile.negativeCount = moments.negativeCount + moments.negativeInfinityCount
    }
}

/// The profile of a column of numbers that are no integers.
struct NumberProfiling: ColumnProfiling {
    private var profile: ColumnProfile
    private var sketches: NumberSketches
    private let numbers = ChunkBuffer<Double>()

    init(_ column: TableColumn, _ profiler: TableProfiler, seed: UInt64) {
        profile = ColumnProfile(column, profiler)
        sketches = NumberSketches(profiler, seed: seed)
    }

    mutating func add(_ chunk: ColumnChunk) {
        profile.addRows(chunk)
        let all = chunk.numbers
        let before = sketches.moments.nanCount
        sketches.moments.add(contentsOf: all)
        sketches.quantiles.add(contentsOf: all)
        var values = all
        if sketches.moments.nanCount > before {
            let kept = numbers.room(all.count)
            var count = 0
            for value in all where !value.isNaN {
                kept.initializeElement(at: count, to: value)
                count += 1
            }
            values = UnsafeBufferPointer(rebasing: kept[..<count])
        }
        // The sum of −0 and 0 is 0.
        sketches.count(values.count, &profile.distinct) {
            (values[$0] + 0).bitPattern
        } _: {
            SketchHash.hash(bits: (values[$0] + 0).bitPattern)
        }
    }

    func finished() -> ColumnProfile {
        var profile = profile
        sketches.finish(&profile) { ValueText.of(Double(bitPattern: $0)) }
        sketches.finishNumbers(&profile)
        profile.minimum = sketches.quantiles.minimum.map(TableValue.number)
        profile.maximum = sketches.quantiles.maximum.map(TableValue.number)
        return profile
    }
}
