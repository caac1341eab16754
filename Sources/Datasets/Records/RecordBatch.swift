package import ApusVault

/// Records that came in one request and are durable: JSON objects, a line each.
package struct RecordBatch: Sendable, Hashable {
    /// Counts the batches of the dataset, from 1.
    package let number: Int64
    /// Counts the records of the dataset, from 1.
    package let firstRecord: Int64
    package let recordCount: Int64
    package let sizeBytes: Int64
    /// The lines, each with its end.
    package let digest: Digest
    /// What the sender calls the batch; one of the same name is the same batch.
    package let key: String?
    /// In milliseconds since the Unix epoch.
    package let created: Int64
    /// The version whose file holds the records; nil while there is none.
    package let version: Int64?

    package var lastRecord: Int64 { firstRecord + recordCount - 1 }

    /// The most bytes of a batch.
    package static let maximumBytes: Int64 = 256 << 20
    /// The most bytes of a record.
    package static let maximumRecordBytes = 4 << 20
    /// The most characters of a key.
    package static let maximumKeyLength = 255
    /// The most batches that wait to be committed.
    package static let maximumPending: Int64 = 100_000
    /// How long a batch's name is remembered after it was committed.
    package static let keyMemoryMilliseconds: Int64 = 7 * 86_400_000
}
