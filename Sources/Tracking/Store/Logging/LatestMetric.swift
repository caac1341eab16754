import ApusDatabase

/// The latest point of a metric of a run, which searches and runs show.
struct LatestMetric {
    /// The run's and the metric's whole-number keys.
    struct Key: Hashable, Comparable {
        let run: Int64
        let metric: Int64

        static func < (left: Key, right: Key) -> Bool {
            (left.run, left.metric) < (right.run, right.metric)
        }
    }

    let experimentID: Int64
    let point: MetricPoint

    /// Rows that take the place of stored ones unless those are later.
    static func rows(_ latest: [Key: LatestMetric]) -> BulkInsert {
        let rows = latest.sorted { $0.key < $1.key }
        return BulkInsert(
            into: "latest_metrics",
            [
                ("run_id", .integers(rows.map(\.key.run))),
                ("key_id", .integers(rows.map(\.key.metric))),
                ("experiment_id", .integers(rows.map(\.value.experimentID))),
                ("value", .reals(rows.map(\.value.point.value))),
                ("is_nan", .integers(rows.map { $0.value.point.isNaN ? 1 : 0 })),
                ("timestamp", .integers(rows.map(\.value.point.timestamp))),
                ("step", .integers(rows.map(\.value.point.step))),
            ],
            conflict: """
                ON CONFLICT (run_id, key_id) DO UPDATE SET
                    value = excluded.value, is_nan = excluded.is_nan,
                    timestamp = excluded.timestamp, step = excluded.step
                WHERE (excluded.step, excluded.timestamp, excluded.value)
                    > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)
                """
        )
    }
}
