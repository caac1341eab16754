import ApusDatabase

/// Reads the history of one metric in one run from its chunks and from the run's tail.
struct HistoryReader {
    let run: Int64
    let key: Int64
    let transaction: Transaction

    /// The most chunks that are read at once; a small piece begins with one.
    private static let chunksAtOnce = 64

    /// At most `limit` points after a place, in the order of a history.
    ///
    /// Reads only the chunks that a piece needs: they are taken by their first timestamp, and whatever is older than
    /// the first timestamp of the next chunk is complete.
    func points(after place: MetricPack.Point?, limit: Int) throws -> [MetricPack.Point] {
        var pending: [MetricPack.Point] = []
        try transaction.forEach(
            "SELECT points FROM metric_tail WHERE run_id = ? ORDER BY tail_id",
            [.integer(run)]
        ) { MetricPack.append(tail: $0.blob(0), of: key, to: &pending) }
        drop(from: &pending, upTo: place)

        let chunks = try transaction.query(
            """
            SELECT chunk_id, min_timestamp
            FROM metric_chunks
            WHERE run_id = ? AND key_id = ? AND max_timestamp >= ?
            ORDER BY min_timestamp, max_timestamp, chunk_id
            """,
            [.integer(run), .integer(key), .integer(place?.timestamp ?? .min)]
        ) { (id: $0.integer(0), start: $0.integer(1)) }
        var next = 0
        var groupSize = 1
        while next < chunks.count {
            // Points before the start of the next chunk cannot be preceded by anything that was not read.
            let bound = chunks[next].start
            if pending.count >= limit {
                pending.sortAndDeduplicate()
                if pending.count >= limit, pending[limit - 1].timestamp < bound { break }
            }
            let group = chunks[next..<min(next + groupSize, chunks.count)]
            groupSize = min(groupSize * 2, Self.chunksAtOnce)
            var read: [MetricPack.Point] = []
            try transaction.forEach(
                "SELECT points FROM metric_chunks WHERE chunk_id IN (?*) ORDER BY min_timestamp, max_timestamp, chunk_id",
                [.integers(group.map(\.id))]
            ) { MetricPack.append(chunk: $0.blob(0), to: &read) }
            drop(from: &read, upTo: place)
            pending += read
            next += group.count
        }
        pending.sortAndDeduplicate()
        return pending.count > limit ? Array(pending.prefix(limit)) : pending
    }

    private func drop(from points: inout [MetricPack.Point], upTo place: MetricPack.Point?) {
        guard let place else { return }
        points.removeAll { !(place < $0) }
    }
}
