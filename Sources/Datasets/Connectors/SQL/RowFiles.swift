import ApusDatabase

#if canImport(Glibc)
    import Glibc
#endif

/// Writes rows to files of bounded size in the staging folder.
///
/// A row is never divided, so a file may be larger than the bound by one row.
struct RowFiles: ~Copyable {
    /// A file that is finished.
    struct Finished {
        let name: String
        let localPath: String
        let rows: Int
    }

    private static let bufferBytes = 1 << 18

    private let folder: String
    private let format: ForeignFormat
    private let header: [UInt8]
    private let partBytes: Int64
    /// What stands before the number of a file in its name.
    private let prefix: String
    private var descriptor: Int32 = -1
    private var buffer: [UInt8] = []
    private var writtenBytes: Int64 = 0
    private var rows = 0
    private(set) var totalRows = 0
    private(set) var finished: [Finished] = []

    init(folder: String, prefix: String, columns: [ForeignColumn], format: ForeignFormat, partBytes: Int64) {
        self.folder = folder
        self.prefix = prefix
        self.format = format
        self.partBytes = partBytes
        var header: [UInt8] = []
        if format == .csv {
            for (index, column) in columns.enumerated() {
                if index > 0 { header.append(UInt8(ascii: ",")) }
                header += CSVField.bytes(column.name)
            }
            header.append(UInt8(ascii: "\n"))
        }
        self.header = header
        buffer.reserveCapacity(Self.bufferBytes * 2)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private var path: String { "\(folder)/\(name)" }
    private var name: String {
        let number = "\(finished.count + 1)"
        return "\(prefix)\(String(repeating: "0", count: max(0, 5 - number.count)))\(number).\(format.rawValue)"
    }

    /// Appends a row with its end.
    ///
    /// - Returns: The bytes that went to the file.
    mutating func append(_ row: UnsafeRawBufferPointer) throws -> Int {
        if descriptor < 0 { try begin() }
        buffer.append(contentsOf: row)
        rows += 1
        totalRows += 1
        guard buffer.count >= Self.bufferBytes else { return 0 }
        let count = try flush()
        if writtenBytes > partBytes { try end() }
        return count
    }

    /// Ends the last file; `wantsOne` makes a file without rows when there is none.
    mutating func finish(wantsOne: Bool) throws {
        if wantsOne, finished.isEmpty, descriptor < 0 { try begin() }
        if descriptor >= 0 { try end() }
    }

    private mutating func begin() throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ConnectorError.file("write", path) }
        (writtenBytes, rows) = (0, 0)
        buffer += header
    }

    private mutating func flush() throws -> Int {
        let count = buffer.count
        try StagingFolder.write(buffer, to: descriptor, path)
        buffer.removeAll(keepingCapacity: true)
        writtenBytes += Int64(count)
        return count
    }

    private mutating func end() throws {
        _ = try flush()
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0 else { throw ConnectorError.file("write", path) }
        finished.append(Finished(name: name, localPath: path, rows: rows))
    }
}

/// A name as a field of CSV.
enum CSVField {
    static func bytes(_ text: String) -> [UInt8] {
        let needsQuotes =
            text.isEmpty || text.utf8.contains { ",\"\r\n".utf8.contains($0) } || text.hasPrefix(" ")
            || text.hasSuffix(" ")
        guard needsQuotes else { return Array(text.utf8) }
        return Array("\"\(text.map { $0 == "\"" ? "\"\"" : String($0) }.joined())\"".utf8)
    }
}
