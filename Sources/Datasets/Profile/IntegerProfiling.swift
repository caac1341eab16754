import ApusSketch
import ApusTable

/// The profile of a column of integers.
struct IntegerProfiling: ColumnProfiling {
    private var profile: ColumnProfile
    private var sketches: NumberSketches
    private let numbers = ChunkBuffer<Double>()
    private var range = IntegerRange()

    init(_ column: TableColumn, _ profiler: TableProfiler, seed: UInt64) {
        profile = ColumnProfile(column, profiler)
        sketches = NumberSketches(profiler, seed: seed)
    }

    mutating func add(_ chunk: ColumnChunk) {
        profile.addRows(chunk)
        let integers = chunk.integers
        range.add(integers)
        let numbers = numbers.filled(integers.count) { Double(integers[$0]) }
        sketches.moments.add(contentsOf: numbers)
        sketches.quantiles.add(contentsOf: numbers)
        sketches.count(integers.count, &profile.distinct) {
            UInt64(bitPattern: integers[$0])
        } _: {
            SketchHash.hash(integers[$0])
        }
    }

    func finished() -> ColumnProfile {
        var profile = profile
        sketches.finish(&profile) { "\(Int64(bitPattern: $0))" }
        sketches.finishNumbers(&profile)
        profile.minimum = range.low.map(TableValue.integer)
        profile.maximum = range.high.map(TableValue.integer)
        return profile
    }
}

/// The least and the largest of some integers.
struct IntegerRange {
    private var lowest = Int64.max
    private var highest = Int64.min

    /// Nil for none.
    var low: Int64? { lowest <= highest ? lowest : nil }
    var high: Int64? { lowest <= highest ? highest : nil }

    mutating func add(_ integers: UnsafeBufferPointer<Int64>) {
        for value in integers {
            lowest = min(lowest, value)
            highest = max(highest, value)
        }
    }
}
