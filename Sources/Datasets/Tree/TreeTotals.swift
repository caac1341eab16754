/// How many files there are, and how large they are together.
package struct TreeTotals: Hashable, Sendable {
    /// The number of files.
    package var fileCount: Int64
    /// The sizes of the files together, in bytes.
    package var sizeBytes: Int64

    package init(fileCount: Int64, sizeBytes: Int64) {
        self.fileCount = fileCount
        self.sizeBytes = sizeBytes
    }

    /// No file.
    package static let zero = TreeTotals(fileCount: 0, sizeBytes: 0)

    /// The sum, or nil when it is too large to count.
    func adding(_ other: TreeTotals) -> TreeTotals? {
        let (files, filesOverflow) = fileCount.addingReportingOverflow(other.fileCount)
        let (bytes, bytesOverflow) = sizeBytes.addingReportingOverflow(other.sizeBytes)
        return filesOverflow || bytesOverflow ? nil : TreeTotals(fileCount: files, sizeBytes: bytes)
    }
}
