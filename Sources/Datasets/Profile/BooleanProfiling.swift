import ApusSketch
import ApusTable

/// The profile of a column of booleans.
struct BooleanProfiling: ColumnProfiling {
    private var profile: ColumnProfile
    private var trueCount = 0
    private let frequentCount: Int

    init(_ column: TableColumn, _ profiler: TableProfiler) {
        profile = ColumnProfile(column, profiler)
        frequentCount = profiler.frequentCount
    }

    mutating func add(_ chunk: ColumnChunk) {
        profile.addRows(chunk)
        trueCount += chunk.trueCount
    }

    func finished() -> ColumnProfile {
        var profile = profile
        let falseCount = profile.count - profile.missing - trueCount
        var frequent = FrequentItems(capacity: frequentCount)
        for (text, count) in [("false", falseCount), ("true", trueCount)] where count > 0 {
            let hash = SketchHash.hash(text)
            profile.distinct.add(hash: hash)
            Array(text.utf8).withUnsafeBytes { frequent.add($0, hash: hash, count: count) }
        }
        profile.frequent = frequent
        if falseCount + trueCount > 0 {
            profile.minimum = .boolean(falseCount == 0)
            profile.maximum = .boolean(trueCount > 0)
        }
        return profile
    }
}
