/// Files that make up one table, in the order of their rows.
package struct TableSource: Sendable {
    package let files: [TableFile]
    package let format: TableFormat
    /// Of each file.
    let compressions: [TableFormat.Compression]
    /// The columns, if they are known from before; the files are not looked through for types then.
    package let columns: [TableColumn]?

    /// The most files of one table.
    package static let fileLimit = 10_000

    /// - Parameters:
    ///   - files: At least one; all of one format.
    ///   - format: Nil to recognise it.
    ///   - columns: What ``DuckDBTable/columns()`` told about the same files before, as stored profiles have it.
    /// - Throws: ``TableError`` `unreadable`.
    package init(
        _ files: [TableFile],
        format: TableFormat? = nil,
        columns: [TableColumn]? = nil
    ) throws(TableError) {
        guard !files.isEmpty, files.count <= Self.fileLimit else {
            throw TableError(.unreadable, "A table has 1 to \(Self.fileLimit) files, not \(files.count).")
        }
        var common = format
        var compressions: [TableFormat.Compression] = []
        for file in files {
            let (found, compression) = TableFormat.recognize(name: file.name, head: try file.head(256))
            guard let one = format ?? found else {
                throw TableError(
                    .unreadable,
                    "\(file.name) is not recognised as CSV, TSV, JSON, JSON lines or Parquet."
                )
            }
            guard (one == .parquet) == (found == .parquet) else {
                throw TableError(.unreadable, "\(file.name) is no \(one.rawValue) file.")
            }
            if let common, common != one {
                throw TableError(
                    .unreadable,
                    "\(file.name) is \(one.rawValue), the files before it \(common.rawValue)."
                )
            }
            common = one
            compressions.append(compression)
        }
        self.files = files
        self.format = common ?? .csv
        self.compressions = compressions
        self.columns = columns
    }

    /// Runs of files that are compressed alike, since one call reads such.
    var runs: [(compression: TableFormat.Compression, files: ArraySlice<TableFile>)] {
        var runs: [(TableFormat.Compression, ArraySlice<TableFile>)] = []
        var start = 0
        for place in 1...files.count where place == files.count || compressions[place] != compressions[start] {
            runs.append((compressions[start], files[start..<place]))
            start = place
        }
        return runs
    }
}
