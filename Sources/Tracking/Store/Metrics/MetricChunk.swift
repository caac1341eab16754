import ApusDatabase

/// Points of one metric of one run, sorted, as they are stored for good.
struct MetricChunk {
    /// The most points of a chunk: small enough that a chart which needs some of them can read all.
    static let capacity = 8_192

    let run: Int64
    let key: Int64
    /// In the order of a history; never empty, and ``capacity`` at most.
    let points: ArraySlice<MetricPack.Point>
    /// Whether the order of the steps is the same as that of the times.
    let isStepOrdered: Bool

    /// Divides a sorted history.
    static func chunks(of points: [MetricPack.Point], run: Int64, key: Int64) -> [MetricChunk] {
        stride(from: 0, to: points.count, by: capacity).map { start in
            let part = points[start..<min(start + capacity, points.count)]
            return MetricChunk(
                run: run,
                key: key,
                points: part,
                isStepOrdered: zip(part, part.dropFirst()).allSatisfy { $0.step <= $1.step }
            )
        }
    }

    /// Stores chunks, and the levels of those that have any.
    static func insert(_ chunks: [MetricChunk], _ transaction: Transaction) throws {
        try transaction.insert(rows(chunks.filter { $0.points.count < MetricLevels.leastPoints }))
        for chunk in chunks where chunk.points.count >= MetricLevels.leastPoints {
            guard let id = try transaction.insert(rows([chunk]), returning: "chunk_id").first else { continue }
            var levels = Self.levels(of: Array(chunk.points), .time)
            if !chunk.isStepOrdered {
                levels += Self.levels(of: chunk.points.sorted(by: MetricPack.Point.isBefore), .step)
            }
            try transaction.insert(
                BulkInsert(
                    into: "metric_levels",
                    [
                        ("chunk_id", .integers(levels.map { _ in id })),
                        ("axis", .texts(levels.map(\.axis.rawValue))),
                        ("bucket_size", .integers(levels.map(\.size))),
                        ("buckets", .blobs(levels.map(\.packed))),
                    ],
                    conflict: ""
                )
            )
        }
    }

    private static func levels(
        of points: [MetricPack.Point],
        _ axis: SeriesAxis
    ) -> [(axis: SeriesAxis, size: Int64, packed: [UInt8])] {
        MetricLevels.levels(of: points).map { (axis, Int64($0.size), $0.packed(points)) }
    }

    private static func rows(_ chunks: [MetricChunk]) -> BulkInsert {
        let steps = chunks.map { chunk in
            chunk.points.reduce(into: (low: Int64.max, high: Int64.min)) { range, point in
                range = (min(range.low, point.step), max(range.high, point.step))
            }
        }
        return BulkInsert(
            into: "metric_chunks",
            [
                ("run_id", .integers(chunks.map(\.run))),
                ("key_id", .integers(chunks.map(\.key))),
                ("min_timestamp", .integers(chunks.map { $0.points.first?.timestamp ?? 0 })),
                ("max_timestamp", .integers(chunks.map { $0.points.last?.timestamp ?? 0 })),
                ("points", .blobs(chunks.map { MetricPack.chunk(Array($0.points)) })),
                ("point_count", .integers(chunks.map { Int64($0.points.count) })),
                ("min_step", .integers(steps.map(\.low))),
                ("max_step", .integers(steps.map(\.high))),
                ("is_step_ordered", .integers(chunks.map { $0.isStepOrdered ? 1 : 0 })),
            ],
            conflict: ""
        )
    }
}
