/// How often something took how long, with an error of at most one in eight.
///
/// Eight buckets for each doubling, from a microsecond on; the memory is the same however much is recorded.
package struct LatencyHistogram: Sendable, Equatable, Codable {
    private static let bucketCount = 8 * 34
    private var buckets: [UInt32]
    package private(set) var count = 0

    package init() {
        buckets = [UInt32](repeating: 0, count: Self.bucketCount)
    }

    package mutating func record(_ nanoseconds: UInt64) {
        let index = Self.index(nanoseconds)
        buckets[index] &+= 1
        count += 1
    }

    /// The least duration, in nanoseconds, that a part `quantile` of all did not exceed, to the bucket's upper bound.
    package func quantile(_ quantile: Double) -> UInt64? {
        guard count > 0 else { return nil }
        let wanted = max(1, Int((Double(count) * min(1, max(0, quantile))).rounded(.up)))
        var seen = 0
        for (index, bucket) in buckets.enumerated() {
            seen += Int(bucket)
            if seen >= wanted { return Self.upperBound(index) }
        }
        return Self.upperBound(Self.bucketCount - 1)
    }

    private static func index(_ nanoseconds: UInt64) -> Int {
        let units = nanoseconds >> 7
        guard units >= 8 else { return Int(units) }
        let exponent = 63 - units.leadingZeroBitCount
        let sub = Int(truncatingIfNeeded: units >> UInt64(exponent - 3)) & 7
        return min(bucketCount - 1, (exponent - 2) * 8 + sub)
    }

    private static func upperBound(_ index: Int) -> UInt64 {
        guard index >= 8 else { return (UInt64(index) + 1) << 7 }
        let exponent = index / 8 + 2
        return (UInt64(8 + index % 8 + 1) << UInt64(exponent - 3)) << 7
    }

    // Most buckets are empty: pairs of index and count are stored.
    package init(from decoder: any Decoder) throws {
        self.init()
        let pairs = try decoder.singleValueContainer().decode([UInt32].self)
        for start in stride(from: 0, to: pairs.count - 1, by: 2) where pairs[start] < UInt32(Self.bucketCount) {
            buckets[Int(pairs[start])] = pairs[start + 1]
            count += Int(pairs[start + 1])
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(
            buckets.enumerated().filter { $1 > 0 }.flatMap { [UInt32(truncatingIfNeeded: $0), $1] }
        )
    }
}
