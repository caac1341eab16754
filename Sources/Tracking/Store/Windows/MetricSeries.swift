import ApusDatabase
import ApusKernel

/// What the horizontal axis of a chart counts.
package enum SeriesAxis: String, Sendable {
    case step
    /// Milliseconds since the Unix epoch.
    case time
    /// Milliseconds since the first point of the run.
    case relative
}

/// A metric's history at the resolution of a chart, in the order of its axis.
package struct MetricSeries: Sendable {
    package let run: String
    package let places: [M4.Place]
    /// About how many points the asked range holds.
    package let total: Int
}

extension TrackingStore {
    /// Histories for a chart that is `columns` points wide, in the order of `ids`; those of unknown runs are left out.
    ///
    /// Each column of the chart keeps its first, lowest, highest and last point (M4), and one that is no finite number,
    /// so that a line drawn through what is left looks like one through all points: no spike is lost. Columns are of one
    /// width for all runs. Reads about as many points as are kept, however many there are; see ``SeriesReader``.
    ///
    /// `range` bounds the axis, nil for all of it; `columns` is at least 1.
    package func series(
        runs ids: [String],
        key: String,
        axis: SeriesAxis,
        range: ClosedRange<Double>?,
        columns: Int
    ) async throws -> [MetricSeries] {
        try await database.read { transaction in
            guard let keyID = try Self.keyID(key, transaction) else { return [] }
            let rows = Dictionary(
                try Self.rows(of: ids, transaction).map { ($0.id, $0.run) },
                uniquingKeysWith: { first, _ in first }
            )
            let reader = SeriesReader(key: keyID, axis: axis, range: range, columns: columns)
            let found = try reader.read(runs: Set(rows.values).sorted(), transaction)
            return ids.compactMap { id in
                guard let run = rows[id] else { return nil }
                return MetricSeries(run: id, places: found[run]?.places ?? [], total: found[run]?.total ?? 0)
            }
        }
    }
}
