import Synchronization

/// Counts requests and their durations, by route.
final class RouteMetrics: Sendable {
    /// Upper bounds of the histogram's buckets, in seconds.
    static let bounds: [Double] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private struct Counts {
        var byStatus: [Int: Int64] = [:]
        var buckets = [Int64](repeating: 0, count: RouteMetrics.bounds.count)
        var total: Int64 = 0
        var seconds = 0.0
    }

    private final class Cell: Sendable {
        let counts = Mutex(Counts())
    }

    private let names: [(method: String, path: String)]
    private let cells: [Cell]

    /// - Parameter names: Method and path pattern of each route; the last one is for unknown paths.
    init(names: [(method: String, path: String)]) {
        self.names = names
        cells = names.map { _ in Cell() }
    }

    func record(route: Int, status: Int, nanoseconds: UInt64) {
        guard cells.indices.contains(route) else { return }
        let seconds = Double(nanoseconds) / 1e9
        cells[route].counts.withLock { counts in
            counts.byStatus[status, default: 0] += 1
            counts.total += 1
            counts.seconds += seconds
            if let bucket = Self.bounds.firstIndex(where: { seconds <= $0 }) { counts.buckets[bucket] += 1 }
        }
    }

    /// One for each route that was called.
    var summaries: [RequestObservation.Summary] {
        zip(names, cells).compactMap { name, cell in
            let counts = cell.counts.withLock { $0 }
            guard counts.total > 0 else { return nil }
            func answers(_ range: ClosedRange<Int>) -> Int64 {
                counts.byStatus.reduce(0) { $0 + (range.contains($1.key) ? $1.value : 0) }
            }
            return RequestObservation.Summary(
                method: name.method,
                path: name.path,
                total: counts.total,
                refused: answers(400...499),
                failed: answers(500...599),
                seconds: counts.seconds,
                buckets: counts.buckets
            )
        }
    }

    /// Appends the Prometheus text format.
    func write(to text: inout String) {
        let snapshot = zip(names, cells).map { name, cell in (name, cell.counts.withLock { $0 }) }
            .filter { $0.1.total > 0 }
        text +=
            "# HELP apus_http_requests_total Requests by route and status.\n# TYPE apus_http_requests_total counter\n"
        for (name, counts) in snapshot {
            for (status, count) in counts.byStatus.sorted(by: { $0.key < $1.key }) {
                text += "apus_http_requests_total{\(Self.labels(name)),status=\"\(status)\"} \(count)\n"
            }
        }
        text += "# HELP apus_http_request_duration_seconds Time until the answer begins.\n"
        text += "# TYPE apus_http_request_duration_seconds histogram\n"
        for (name, counts) in snapshot {
            var sum: Int64 = 0
            for (bound, count) in zip(Self.bounds, counts.buckets) {
                sum += count
                text += "apus_http_request_duration_seconds_bucket{\(Self.labels(name)),le=\"\(bound)\"} \(sum)\n"
            }
            text += "apus_http_request_duration_seconds_bucket{\(Self.labels(name)),le=\"+Inf\"} \(counts.total)\n"
            text += "apus_http_request_duration_seconds_sum{\(Self.labels(name))} \(counts.seconds)\n"
            text += "apus_http_request_duration_seconds_count{\(Self.labels(name))} \(counts.total)\n"
        }
    }

    private static func labels(_ name: (method: String, path: String)) -> String {
        "method=\"\(name.method)\",route=\"\(name.path)\""
    }
}
