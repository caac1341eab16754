/// Requests that wait, with a lane for each client; lanes take turns.
package struct FairQueue {
    private var lanes: [String: [BatchItem]] = [:]
    /// Clients with something in their lane, in the order of their turns.
    private var turns: [String] = []
    package private(set) var count = 0
    package private(set) var rows = 0
    /// The memory that the requests take, in bytes.
    package private(set) var bytes = 0

    package init() {}

    package mutating func append(_ item: BatchItem) {
        if lanes[item.client] == nil { turns.append(item.client) }
        lanes[item.client, default: []].append(item)
        count += 1
        rows += item.rows
        bytes += item.bytes
    }

    /// Puts back what was taken, before everything else of its client.
    package mutating func putBack(_ item: BatchItem) {
        if lanes[item.client] == nil { turns.insert(item.client, at: 0) }
        lanes[item.client, default: []].insert(item, at: 0)
        count += 1
        rows += item.rows
        bytes += item.bytes
    }

    /// When the oldest request came, in nanoseconds; nil when none waits.
    package var oldest: UInt64? { lanes.values.compactMap { $0.first?.enqueued }.min() }

    /// Takes requests that may share a run, of at most `limit` rows together; one that is larger goes alone.
    ///
    /// What was finished meanwhile is dropped.
    package mutating func takeBatch(limit: Int) -> [BatchItem] {
        var batch: [BatchItem] = []
        var batchRows = 0
        var skipped = 0
        while skipped < turns.count {
            let client = turns.removeFirst()
            guard var lane = lanes.removeValue(forKey: client) else { continue }
            while let first = lane.first, first.isFinished { drop(&lane) }
            guard let first = lane.first else {
                skipped = 0
                continue
            }
            let fits =
                batch.isEmpty
                || (first.kind != nil && first.kind == batch.first?.kind && batchRows + first.rows <= limit)
            if fits {
                batch.append(first)
                batchRows += first.rows
                drop(&lane)
                skipped = 0
            } else {
                skipped += 1
            }
            if !lane.isEmpty {
                lanes[client] = lane
                turns.append(client)
            }
            if let first = batch.first, first.kind == nil || batchRows >= limit { break }
        }
        return batch
    }

    /// Everything that waits; the queue is empty afterwards.
    package mutating func takeAll() -> [BatchItem] {
        defer { self = FairQueue() }
        return lanes.values.flatMap { $0 }
    }

    private mutating func drop(_ lane: inout [BatchItem]) {
        let item = lane.removeFirst()
        count -= 1
        rows -= item.rows
        bytes -= item.bytes
    }
}
