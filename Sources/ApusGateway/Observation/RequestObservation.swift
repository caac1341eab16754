import Synchronization

/// Lets a page see what the front door counted; the door is made after the pages.
package final class RequestObservation: Sendable {
    /// The requests to one route, or to several.
    package struct Summary: Sendable {
        package let method: String
        /// The route's pattern.
        package let path: String
        package var total: Int64
        /// Answers that say that the client was wrong.
        package var refused: Int64
        /// Answers that say that this server was.
        package var failed: Int64
        package var seconds: Double
        var buckets: [Int64]

        /// The time within which that part of the answers began, in seconds, about; nil when there were none.
        package func quantile(_ part: Double) -> Double? {
            guard total > 0 else { return nil }
            let wanted = part * Double(total)
            var before = 0.0
            var lower = 0.0
            for (bound, count) in zip(RouteMetrics.bounds, buckets) {
                let count = Double(count)
                // Within a bucket the answers are taken to be spread evenly.
                if before + count >= wanted, count > 0 { return lower + (bound - lower) * (wanted - before) / count }
                before += count
                lower = bound
            }
            return lower
        }

        /// The requests of both, by the name of this one.
        package func adding(_ other: Summary) -> Summary {
            var sum = self
            sum.total += other.total
            sum.refused += other.refused
            sum.failed += other.failed
            sum.seconds += other.seconds
            sum.buckets = zip(buckets, other.buckets).map { $0 + $1 }
            return sum
        }
    }

    private let metrics = Mutex<RouteMetrics?>(nil)

    package init() {}

    func observe(_ metrics: RouteMetrics) { self.metrics.withLock { $0 = metrics } }

    /// One for each route that was called, the most called first.
    package var summaries: [Summary] {
        (metrics.withLock { $0 }?.summaries ?? []).sorted { $0.total > $1.total }
    }

    /// The memory that the process holds, in bytes.
    package static var residentBytes: Int64? { ProcessMetrics.residentBytes().map { Int64($0) } }
}
