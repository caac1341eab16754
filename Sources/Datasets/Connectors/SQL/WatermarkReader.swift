import ApusDatabase
import ApusKernel

/// Reads the rows of a snapshot that are new since a watermark.
struct WatermarkReader {
    let snapshot: any ForeignSnapshot
    let query: ForeignQuery
    let columns: [ForeignColumn]
    let column: ForeignColumn
    private(set) var warnings: [String] = []

    init(
        snapshot: any ForeignSnapshot,
        query: ForeignQuery,
        columns: [ForeignColumn],
        column: ForeignColumn
    ) {
        self.snapshot = snapshot
        self.query = query
        self.columns = columns
        self.column = column
    }

    /// Calls `body` with each new row.
    ///
    /// - Returns: The watermark from which the next import goes on; nil when there is nothing to go by yet.
    /// - Throws: ``ConnectorError`` when new rows cannot be told from old ones; what the snapshot and `body` throw.
    mutating func read(
        since before: Watermark?,
        as format: ForeignFormat,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Watermark? {
        let nulls = try snapshot.count(query, [.isNull(column)])
        if nulls > 0 {
            warnings.append(
                "\(nulls) rows have no '\(column.name)', and were left out: they have no place in its order."
            )
        }
        guard let greatest = try snapshot.greatest(column, of: query) else { return before }
        try checkOrder(greatest)
        let shape = Watermark.shape(columns, format)
        guard let before else {
            try snapshot.forEachRow(query, columns, [.before(column, greatest)], as: format, body)
            return try readAll(at: greatest, shape, format, body)
        }
        let (ties, count) = try readTies(before, shape, format, body)
        guard try snapshot.count(query, [.after(column, before.mark)]) > 0 else {
            if try snapshot.count(query, [.before(column, before.mark)]) > 0, count == 0 {
                warnings.append(
                    "No row has a '\(column.name)' of \(before.mark.text) any more, up to which was imported."
                )
            }
            return Watermark(mark: before.mark, tieCount: count, ties: ties, shape: shape)
        }
        try snapshot.forEachRow(
            query,
            columns,
            [.after(column, before.mark), .before(column, greatest)],
            as: format,
            body
        )
        return try readAll(at: greatest, shape, format, body)
    }

    /// Reads all rows at a value, and remembers them if they are few.
    private func readAll(
        at mark: ForeignMark,
        _ shape: String,
        _ format: ForeignFormat,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Watermark {
        let count = try snapshot.count(query, [.at(column, mark)])
        let isFew = count <= Watermark.tieLimit
        var ties: [String] = []
        try snapshot.forEachRow(query, columns, [.at(column, mark)], as: format) { row in
            if isFew { ties.append(Watermark.hash(row)) }
            try body(row)
        }
        return Watermark(mark: mark, tieCount: count, ties: isFew ? ties : nil, shape: shape)
    }

    /// Reads the rows at the watermark that were not there before.
    private func readTies(
        _ before: Watermark,
        _ shape: String,
        _ format: ForeignFormat,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> (ties: [String]?, count: Int64) {
        let bounds = [ForeignBound.at(column, before.mark)]
        let count = try snapshot.count(query, bounds)
        guard var ties = before.ties, before.shape == shape, count <= Watermark.tieLimit else {
            guard count == before.tieCount else {
                throw ConnectorError(
                    "\(count) rows have the '\(column.name)' \(before.mark.text) now, and \(before.tieCount) had it at the "
                        + "last import. Which are new cannot be told: import all of it anew with --full.",
                    code: .invalidState
                )
            }
            return (before.shape == shape ? before.ties : nil, count)
        }
        // Equal rows are as many as they are.
        var known: [String: Int] = [:]
        for tie in ties { known[tie, default: 0] += 1 }
        try snapshot.forEachRow(query, columns, bounds, as: format) { row in
            let hash = Watermark.hash(row)
            if let left = known[hash], left > 0 {
                known[hash] = left - 1
            } else {
                ties.append(hash)
                try body(row)
            }
        }
        return (ties.count <= Watermark.tieLimit ? ties : nil, count)
    }

    /// Refuses a greatest value after which nothing comes.
    private func checkOrder(_ mark: ForeignMark) throws {
        guard ["nan", "infinity", "inf"].contains(mark.text.lowercased()), mark.type != "text" else { return }
        throw ConnectorError("The greatest '\(column.name)' is \(mark.text), after which nothing could be new.")
    }
}
