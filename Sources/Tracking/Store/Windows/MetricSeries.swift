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
    package var places: [M4.Place] = []
    /// About how many points the asked range holds.
    package var total = 0
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
        let known = try await database.read { transaction -> (reader: SeriesReader, rows: [String: Int64])? in
            guard let keyID = try Self.keyID(key, transaction) else { return nil }
            let rows = try Self.rows(of: ids, transaction).map { ($0.id, $0.run) }
            return (
                SeriesReader(key: keyID, axis: axis, columns: columns),
                Dictionary(rows, uniquingKeysWith: { first, _ in first })
            )
        }
        guard let (reader, rows) = known else { return [] }
        let runs = Set(rows.values).sorted()
        let whole =
            if let range { range } else {
                try await database.read { try reader.extent(runs: runs, $0) }
            }
        guard let shown = whole else { return ids.filter { rows[$0] != nil }.map { MetricSeries(run: $0) } }
        // Many curves are read by two readers: a chart of a hundred waits for the processor.
        let middle = runs.count < Self.runsAlone ? runs.count : runs.count / 2
        async let others = database.read { try reader.read(runs: Array(runs[middle...]), shown: shown, $0) }
        var found = try await database.read { try reader.read(runs: Array(runs[..<middle]), shown: shown, $0) }
        found.merge(try await others) { first, _ in first }
        return ids.compactMap { id in
            guard let run = rows[id] else { return nil }
            return MetricSeries(run: id, places: found[run]?.places ?? [], total: found[run]?.total ?? 0)
        }
    }

    /// Fewer curves than this are read by one reader.
    private static let runsAlone = 16
}
