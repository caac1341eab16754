import NIOCore

/// Makes requests of a file's records, as MLflow's scoring protocol understands them.
struct RecordConversion: Sendable {
    let metadata: ModelMetadata
    let format: RecordSplitter.Format
    /// The first line of CSV.
    let header: [UInt8]

    /// - Throws: ``ServingError`` when the records are not what the model takes.
    func request(_ chunk: RecordChunk) throws -> InferenceRequest {
        var body = ByteBuffer()
        let size = chunk.records.reduce(0) { $0 + $1.range.count + 1 }
        body.reserveCapacity(size + header.count + 64)
        switch format {
        case .csv:
            body.writeBytes(header)
            for record in chunk.records {
                body.writeInteger(UInt8(ascii: "\n"))
                body.writeBytes(chunk.bytes(of: record))
            }
            return try ScoringReader(metadata).read(body, .csv).request
        case .lines:
            let first = chunk.records.first.map { chunk.bytes(of: $0) } ?? []
            // A line is a row: an object with its columns, or the values alone.
            let isObject = first.first { $0 > 0x20 } == UInt8(ascii: "{")
            body.writeString(isObject ? "{\"dataframe_records\":[" : "{\"instances\":[")
            for (index, record) in chunk.records.enumerated() {
                if index > 0 { body.writeInteger(UInt8(ascii: ",")) }
                body.writeBytes(chunk.bytes(of: record))
            }
            body.writeString("]}")
            return try ScoringReader(metadata).read(body, .json).request
        }
    }
}
