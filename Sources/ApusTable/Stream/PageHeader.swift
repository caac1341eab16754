/// The header of a page of Parquet.
///
/// - SeeAlso: `PageHeader` in `parquet.thrift` of apache/parquet-format.
struct PageHeader {
    /// Bytes of the page after the header.
    var bodyBytes = 0
    /// Rows of the page, missing values included.
    var rowCount = 0
    /// Bytes of the header.
    var headerBytes = 0

    /// The longest header that is read.
    static let limit = 1024

    /// - Returns: Nil for what comes after all pages, the footer.
    /// - Throws: ``ThriftReader/Damaged`` for any page but a plain one without compression, and if bytes are missing.
    init?(_ bytes: UnsafeRawBufferPointer) throws(ThriftReader.Damaged) {
        var reader = ThriftReader(bytes)
        var last = 0
        var isData = false
        var isPlain = false
        var wholeBytes = 0
        while let (number, type) = try reader.field(after: last) {
            switch (number, type) {
            case (1, 5): isData = try reader.integer() == 0
            // Where a page has its size, the footer has the list of columns.
            case (2, 9): return nil
            case (2, 5): wholeBytes = try reader.integer()
            case (3, 5): bodyBytes = try reader.integer()
            case (5, 12):
                var last = 0
                while let (number, type) = try reader.field(after: last) {
                    switch (number, type) {
                    case (1, 5): rowCount = try reader.integer()
                    case (2, 5): isPlain = try reader.integer() == 0
                    default: try reader.skip(type)
                    }
                    last = number
                }
            default: try reader.skip(type)
            }
            last = number
        }
        guard isData, isPlain, bodyBytes >= 0, bodyBytes == wholeBytes, rowCount >= 0 else {
            throw ThriftReader.Damaged()
        }
        headerBytes = reader.place
    }
}
