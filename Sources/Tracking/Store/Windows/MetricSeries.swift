import ApusDatabase
import ApusKernel

/// What the horizontal axis of a chart counts.
enum SeriesAxis: String, Sendable {
    case step
    /// Milliseconds since the Unix epoch.
    case time
}

/// A metric's history at the resolution of a chart.
struct MetricSeries: Sendable {
    let run: String
    /// Points in the order of the axis, as they were logged; NaN is kept.
    let points: [MetricPoint]
    /// How many points the asked range holds.
    let total: Int
}

extension TrackingStore {
    /// Histories for a chart that is `columns` points wide.
    ///
    /// Each column of the chart keeps its first, lowest, highest and last point (M4), so that a line drawn through what
    /// is left has the same pixels as one through all points: no spike is lost.
    ///
    /// `range` bounds the axis, nil for all of it; `columns` is at least 1.
    ///
    /// - SeeAlso: Jugel and others, "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014.
    func series(
        runs ids: [String],
        key: String,
        axis: SeriesAxis,
        range: ClosedRange<Double>?,
        columns: Int
    ) async throws -> [MetricSeries] {
        try await database.read { transaction in
            let key = (text: key, id: try Self.keyID(key, transaction))
            guard let keyID = key.id else { return [] }
            var rows: [String: Int64] = [:]
            for row in try Self.rows(of: ids, transaction) { rows[row.id] = row.run }
            return try ids.compactMap { id in
                guard let run = rows[id] else { return nil }
                var points = try HistoryReader(run: run, key: keyID, transaction: transaction)
                    .points(after: nil, limit: .max)
                if axis == .step { points.sort(by: MetricPack.Point.isBefore) }
                let position: (MetricPack.Point) -> Double = { Double(axis == .step ? $0.step : $0.timestamp) }
                if let range {
                    // One point beyond each end, so that lines run on to the edges.
                    let first = points.firstIndex { position($0) >= range.lowerBound } ?? points.endIndex
                    let last = points.lastIndex { position($0) <= range.upperBound } ?? -1
                    let from = max(0, first - 1)
                    let to = min(points.count, last + 2)
                    points = from < to ? Array(points[from..<to]) : []
                }
                let kept = M4.reduced(points, columns: columns, position: position)
                return MetricSeries(run: id, points: kept.map { MetricPoint(key: key.text, $0) }, total: points.count)
            }
        }
    }
}

/// Keeps of each column of a chart what its pixels show.
enum M4 {
    /// The points that are kept of `points`, which come in the order of `position`.
    static func reduced(
        _ points: [MetricPack.Point],
        columns: Int,
        position: (MetricPack.Point) -> Double
    ) -> [MetricPack.Point] {
        guard columns > 0, points.count > columns * 4, let first = points.first, let last = points.last else {
            return points
        }
        let start = position(first)
        let width = (position(last) - start) / Double(columns)
        // Points that all stand at one place are one column.
        func column(_ place: Int) -> Double {
            width > 0 ? ((position(points[place]) - start) / width).rounded(.down) : 0
        }
        var kept: [MetricPack.Point] = []
        kept.reserveCapacity(columns * 4 + 4)
        var begin = 0
        while begin < points.count {
            var end = begin
            var low: Int?
            var high: Int?
            while end < points.count, column(end) == column(begin) {
                // NaN has no place among the others.
                if !points[end].isNaN {
                    if low.map({ points[end].value < points[$0].value }) ?? true { low = end }
                    if high.map({ points[end].value > points[$0].value }) ?? true { high = end }
                }
                end += 1
            }
            for place in Set([begin, low ?? begin, high ?? begin, end - 1]).sorted() { kept.append(points[place]) }
            begin = end
        }
        return kept
    }
}
