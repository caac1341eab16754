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
        // Few curves are read at once; of many the first reader says only where the axis begins and ends, for two others.
        let first = try await database.read { transaction -> Begun? in
            guard let keyID = try Self.keyID(key, transaction) else { return nil }
            let reader = SeriesReader(key: keyID, axis: axis, columns: columns)
            let rows = Dictionary(
                try Self.rows(of: ids, transaction).map { ($0.id, $0.run) },
                uniquingKeysWith: { first, _ in first }
            )
            let runs = Set(rows.values).sorted()
            guard runs.count >= Self.runsAlone else {
                return Begun(reader, rows, range, found: try reader.read(runs: runs, shown: range, transaction))
            }
            return Begun(reader, rows, try range ?? reader.extent(runs: runs, transaction), found: nil)
        }
        guard let first else { return [] }
        let (reader, rows, shown) = (first.reader, first.rows, first.shown)
        var found = first.found ?? [:]
        if first.found == nil {
            let runs = Set(rows.values).sorted()
            let middle = runs.count / 2
            async let others = database.read { try reader.read(runs: Array(runs[middle...]), shown: shown, $0) }
            found = try await database.read { try reader.read(runs: Array(runs[..<middle]), shown: shown, $0) }
            found.merge(try await others) { first, _ in first }
        }
        return ids.compactMap { id in
            guard let run = rows[id] else { return nil }
            return MetricSeries(run: id, places: found[run]?.places ?? [], total: found[run]?.total ?? 0)
        }
    }

    /// Fewer curves than this are read by one reader.
    private static let runsAlone = 16

    /// What the first reader of a chart knows, with the curves if they are few.
    private struct Begun: Sendable {
        let reader: SeriesReader
        let rows: [String: Int64]
        let shown: ClosedRange<Double>?
        let found: [Int64: SeriesFound]?

        init(
            _ reader: SeriesReader,
            _ rows: [String: Int64],
            _ shown: ClosedRange<Double>?,
            found: [Int64: SeriesFound]?
        ) {
            self.reader = reader
            self.rows = rows
            self.shown = shown
            self.found = found
        }
    }
}
