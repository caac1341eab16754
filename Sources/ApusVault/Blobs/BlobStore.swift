package import NIOCore

/// Keeps bytes under their SHA-256: each content once, never changed, checked whenever it is read.
///
/// A store knows nothing of what its blobs mean; ``ArtifactStore`` and others hold the references, and
/// ``sweep(olderThan:at:dryRun:isReferenced:)`` removes what nothing refers to.
package protocol BlobStore: Sendable {
    /// Stores a stream and returns when its bytes are on disk.
    ///
    /// Memory is constant: two blocks of 1 MiB. Until this returns nothing is visible, and when it throws nothing is
    /// left behind. A content that the store has already is stored once, and counts as written now.
    ///
    /// - Parameters:
    ///   - bytes: The content. An error of the stream is thrown on.
    ///   - expectation: What the content must be; it is judged by the bytes that are received.
    /// - Returns: The blob's name and size.
    /// - Throws: ``RequestError``: `INVALID_PARAMETER_VALUE` when the content is not as expected,
    ///   `TEMPORARILY_UNAVAILABLE` when the volume is full or has failed. ``VolumeError`` for other failures.
    func write<Bytes: AsyncSequence & Sendable>(
        _ bytes: Bytes,
        expecting expectation: BlobExpectation
    ) async throws -> StoredBlob where Bytes.Element == ByteBuffer

    /// Opens a blob that someone refers to. It stays readable while the reader lives, even if it is deleted.
    ///
    /// - Throws: ``RequestError`` `DATA_LOSS` when it is missing.
    func open(_ digest: Digest) async throws -> BlobReader

    /// What is known of a blob without reading it, or nil when it is missing.
    func status(of digest: Digest) async throws -> BlobStatus?

    /// What is known of those of the blobs that are there.
    func statuses(of digests: [Digest]) async throws -> [BlobStatus]

    /// Makes a blob count as written now, so that a sweep leaves time to refer to it again.
    ///
    /// - Returns: Whether the store has the blob.
    func touch(_ digest: Digest) async throws -> Bool

    /// A page of the blobs, in the order of their digests.
    ///
    /// - Parameters:
    ///   - after: The last digest of the page before, or nil for the first page.
    ///   - limit: The most blobs in the page, at least 1.
    /// - Returns: The page; an empty one is the last.
    /// - Throws: ``VolumeError``.
    func list(after: Digest?, limit: Int) async throws -> [BlobStatus]

    /// Removes a blob at once, whoever refers to it.
    ///
    /// - Returns: Whether the store had the blob.
    func delete(_ digest: Digest) async throws -> Bool

    /// Removes those of the blobs that were last written before an instant.
    ///
    /// The instant is compared while nothing can be written, so a blob that is being written again survives.
    ///
    /// - Parameters:
    ///   - digests: The blobs.
    ///   - cutoffMilliseconds: Milliseconds since the Unix epoch.
    /// - Returns: The blobs that were removed.
    /// - Throws: ``VolumeError``.
    func delete(_ digests: [Digest], writtenBefore cutoffMilliseconds: Int64) async throws -> [BlobStatus]
}

extension BlobStore {
    /// Stores a stream of any content.
    package func write<Bytes: AsyncSequence & Sendable>(_ bytes: Bytes) async throws -> StoredBlob
    where Bytes.Element == ByteBuffer {
        try await write(bytes, expecting: .anything)
    }

    /// Stores a content that is in memory.
    package func write(_ buffer: ByteBuffer, expecting expectation: BlobExpectation = .anything) async throws
        -> StoredBlob
    {
        try await write(SingleBuffer(buffer: buffer), expecting: expectation)
    }

    /// Whether the store has a blob.
    package func contains(_ digest: Digest) async throws -> Bool {
        try await status(of: digest) != nil
    }
}

/// A stream of one buffer.
private struct SingleBuffer: AsyncSequence, Sendable {
    let buffer: ByteBuffer

    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ByteBuffer?

        mutating func next() async -> ByteBuffer? {
            defer { rest = nil }
            return rest
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(rest: buffer)
    }
}
