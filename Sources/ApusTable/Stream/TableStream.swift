/// All rows of a table, chunk by chunk, in order.
///
/// DuckDB writes them to a pipe as Parquet with plain pages without compression: values lie there as they lie in memory,
/// and only one chunk is held at a time. Pages are read as they come; the footer is not needed.
///
/// - SeeAlso: `Encodings.md` in apache/parquet-format, "Plain" and "Run Length Encoding / Bit-Packing Hybrid".
package final class TableStream {
    /// Rows of a chunk, but for the last one.
    package static let chunkRows = 8192
    /// A page of the longest texts.
    static let pageLimit = 64 << 20

    /// The options of `COPY` that make it so.
    static let options = """
        FORMAT parquet, COMPRESSION uncompressed, PARQUET_VERSION V1, ROW_GROUP_SIZE \(chunkRows), \
        DICTIONARY_SIZE_LIMIT 0, WRITE_BLOOM_FILTER false
        """

    private let output: ChildOutput
    private let columns: [ColumnChunk]
    private var isFirst = true

    init(_ output: ChildOutput, columns: [TableColumn]) {
        self.output = output
        self.columns = columns.map { ColumnChunk($0) }
    }

    /// The expression that brings a column into the form that ``ColumnChunk`` reads.
    static func select(_ column: TableColumn) -> String {
        let name = SQLText.identifier(column.name)
        return switch column.type {
        case .boolean: name
        case .integer: "CAST(\(name) AS BIGINT)"
        case .number: "CAST(\(name) AS DOUBLE)"
        // Infinite ones are no moments.
        case .date: "CASE WHEN isfinite(\(name)) THEN epoch_us(CAST(\(name) AS DATE)) END"
        case .timestamp: "CASE WHEN isfinite(\(name)) THEN epoch_us(\(name)) END"
        case .time: "epoch_us(CAST(\(name) AS TIME))"
        case .text, .other: LongText.select("CAST(\(name) AS VARCHAR)")
        }
    }

    /// The next rows; valid until the next call.
    ///
    /// - Throws: What is left to ``DuckDBRun``.
    package func next() throws -> TableChunk? {
        if isFirst {
            isFirst = false
            guard try output.require(4).prefix(4).elementsEqual("PAR1".utf8) else {
                throw ChildOutput.Failure.truncated
            }
            output.skip(4)
        }
        var rowCount = 0
        for (place, column) in columns.enumerated() {
            guard let header = try header() else {
                guard place == 0 else { throw ChildOutput.Failure.truncated }
                return nil
            }
            if place == 0 { rowCount = header.rowCount }
            guard header.rowCount == rowCount, header.bodyBytes <= Self.pageLimit else {
                throw ChildOutput.Failure.truncated
            }
            output.skip(header.headerBytes)
            let body = try output.require(header.bodyBytes)
            try column.read(UnsafeRawBufferPointer(rebasing: body[..<header.bodyBytes]), rowCount: rowCount)
            output.skip(header.bodyBytes)
        }
        return columns.isEmpty ? nil : TableChunk(rowCount: rowCount, columns: columns)
    }

    /// The next page's header, with as many bytes as it takes.
    private func header() throws -> PageHeader? {
        while true {
            do {
                return try PageHeader(output.available)
            } catch {
                guard output.available.count < PageHeader.limit, try output.fill() else {
                    throw ChildOutput.Failure.truncated
                }
            }
        }
    }
}

/// Rows of a table, as columns.
///
/// Sound to hand to several threads, since it is only read; see ``TableStream/next()`` for how long.
package struct TableChunk: @unchecked Sendable {
    package let rowCount: Int
    package let columns: [ColumnChunk]
}
