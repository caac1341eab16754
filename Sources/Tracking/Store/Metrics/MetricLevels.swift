/// Coarser and coarser forms of a chunk, so that a chart of any width reads about as many points as it has pixels.
///
/// A level divides the points of a chunk into *buckets* of 16, 32, 64 and so on. Of each it keeps what a line through
/// all of its points would touch: the first, the lowest, the highest and the last point, and the first that is no finite
/// number, which a chart marks.
///
/// - SeeAlso: Jugel and others, "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014.
enum MetricLevels {
    /// The points of a bucket of the finest level; a chart that shows fewer reads the points themselves.
    static let finest = 16
    /// The points that stand for a bucket; the same one may stand there more than once.
    static let pointsPerBucket = 5
    /// A chunk with fewer points than this is read as it is.
    static let leastPoints = 1024

    /// A level of a chunk: buckets of `size` points, the last one of fewer.
    struct Level {
        let size: Int
        var buckets: [Bucket]

        /// As it is stored, the points of a bucket in their order.
        func packed(_ points: [MetricPack.Point]) -> [UInt8] {
            MetricPack.chunk(buckets.flatMap { bucket in bucket.kept.sorted().map { points[$0] } })
        }
    }

    /// The places of what is kept of some points that follow each other.
    struct Bucket {
        let first: Int
        private var low: Int
        private var high: Int
        private var odd: Int
        private var last: Int

        fileprivate init(_ place: Int) {
            (first, low, high, odd, last) = (place, place, place, place, place)
        }

        fileprivate var kept: [Int] { [first, low, high, odd, last] }

        fileprivate mutating func append(_ next: Bucket, _ points: [MetricPack.Point]) {
            func isBetter(_ place: Int, _ best: Int, _ precedes: (Double, Double) -> Bool) -> Bool {
                guard points[place].isFinite else { return false }
                return !points[best].isFinite || precedes(points[place].value, points[best].value)
            }
            if isBetter(next.low, low, <) { low = next.low }
            if isBetter(next.high, high, >) { high = next.high }
            if points[odd].isFinite, !points[next.odd].isFinite { odd = next.odd }
            last = next.last
        }
    }

    /// All levels of points that are in the order of an axis, the finest first; the last one has a single bucket.
    static func levels(of points: [MetricPack.Point]) -> [Level] {
        guard points.count >= leastPoints else { return [] }
        var level = Level(size: 1, buckets: points.indices.map(Bucket.init))
        var levels: [Level] = []
        while level.buckets.count > 1 {
            level = coarser(level, by: level.size == 1 ? finest : 2, points)
            levels.append(level)
        }
        return levels
    }

    private static func coarser(_ level: Level, by factor: Int, _ points: [MetricPack.Point]) -> Level {
        var buckets: [Bucket] = []
        buckets.reserveCapacity(level.buckets.count / factor + 1)
        for start in stride(from: 0, to: level.buckets.count, by: factor) {
            var bucket = level.buckets[start]
            for next in level.buckets[start..<min(start + factor, level.buckets.count)].dropFirst() {
                bucket.append(next, points)
            }
            buckets.append(bucket)
        }
        return Level(size: level.size * factor, buckets: buckets)
    }

    /// The size of the buckets of the coarsest level that has at most `points` points in each; 1 when none has, so that
    /// the points themselves are needed.
    static func size(upTo points: Int, of count: Int) -> Int {
        guard count >= leastPoints, points >= finest else { return 1 }
        var size = finest
        while size * 2 <= points, size < count { size *= 2 }
        return size
    }
}
