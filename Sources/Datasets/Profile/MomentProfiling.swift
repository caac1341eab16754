import ApusKernel
import ApusSketch
import ApusTable

/// The profile of dates, timestamps and times of day, which come as microseconds.
struct MomentProfiling: ColumnProfiling {
    private var profile: ColumnProfile
    private var sketches: NumberSketches
    private let seconds = ChunkBuffer<Double>()
    private var range = IntegerRange()

    init(_ column: TableColumn, _ profiler: TableProfiler, seed: UInt64) {
        profile = ColumnProfile(column, profiler)
        sketches = NumberSketches(profiler, seed: seed)
    }

    mutating func add(_ chunk: ColumnChunk) {
        profile.addRows(chunk)
        let values = chunk.integers
        range.add(values)
        sketches.quantiles.add(contentsOf: seconds.filled(values.count) { Double(values[$0]) / 1_000_000 })
        sketches.count(values.count, &profile.distinct) {
            UInt64(bitPattern: values[$0])
        } _: {
            SketchHash.hash(values[$0])
        }
    }

    func finished() -> ColumnProfile {
        var profile = profile
        let type = profile.type
        sketches.finish(&profile) { Self.text(Int64(bitPattern: $0), type) }
        if type == .time { profile.quantiles = nil }
        profile.minimum = range.low.map { .text(Self.text($0, type)) }
        profile.maximum = range.high.map { .text(Self.text($0, type)) }
        return profile
    }

    /// ISO 8601 as DuckDB writes it, with as many digits after the point as are needed.
    static func text(_ microseconds: Int64, _ type: ColumnType) -> String {
        let second = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let isBefore = second.remainder < 0
        let time = CivilTime(secondsSince1970: second.quotient - (isBefore ? 1 : 0))
        let rest = second.remainder + (isBefore ? 1_000_000 : 0)
        guard type != .date else { return time.date }
        var fraction = ""
        if rest > 0 {
            fraction = "\(1_000_000 + rest)"
            fraction.removeFirst()
            while fraction.last == "0" { fraction.removeLast() }
            fraction = ".\(fraction)"
        }
        return type == .time ? time.timeOfDay + fraction : "\(time.date) \(time.timeOfDay)\(fraction)"
    }
}
