internal import ApusKernel
package import NIOCore

/// Where a store's readers get their bytes from.
package protocol BlobSource: Sendable {
    /// Bytes of the blob from the first to the last of `range`; the whole blob is checked against its digest, a part
    /// is not.
    func makeCursor(_ range: Range<Int64>) -> any BlobCursor
    /// Returns when the blob, as it is stored now, is known to match its digest.
    ///
    /// - Throws: ``RequestError`` `DATA_LOSS` when it does not.
    func verify() async throws
}

/// A position in a blob that moves on by one block a call.
package protocol BlobCursor: Sendable {
    /// The next block, or nil after the last.
    ///
    /// - Throws: ``RequestError`` `DATA_LOSS`, instead of the last block, when a whole blob does not match its digest.
    func next() async throws -> ByteBuffer?
}

/// An open blob.
package struct BlobReader: Sendable {
    /// The blob's name.
    package let digest: Digest
    /// The number of bytes.
    package let sizeBytes: Int64
    private let source: any BlobSource

    package init(digest: Digest, sizeBytes: Int64, source: any BlobSource) {
        self.digest = digest
        self.sizeBytes = sizeBytes
        self.source = source
    }

    /// The whole content.
    ///
    /// The stream ends only if all bytes match the digest. Otherwise it throws ``RequestError`` `DATA_LOSS` in place of
    /// the last block, so whoever passes the bytes on cannot complete a wrong answer.
    package var bytes: BlobBytes {
        BlobBytes(source: source, range: 0..<sizeBytes)
    }

    /// A part of the content; all of the blob is checked before, once for as long as its file does not change.
    ///
    /// - Parameter range: Offsets in bytes, the first included, the last not.
    /// - Returns: The part.
    /// - Throws: ``RequestError``: `INVALID_PARAMETER_VALUE` for a range that is not within the blob, `DATA_LOSS` when
    ///   the blob does not match its digest.
    package func bytes(in range: Range<Int64>) async throws -> BlobBytes {
        guard range.lowerBound >= 0, range.upperBound <= sizeBytes else {
            throw RequestError.invalid("The range is not within the \(sizeBytes) bytes of the content")
        }
        guard range != 0..<sizeBytes else { return bytes }
        try await source.verify()
        return BlobBytes(source: source, range: range)
    }

    /// A part of the content, unchecked, for a caller who knows what it must be.
    ///
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE` for a range that is not within the blob.
    package func uncheckedBytes(in range: Range<Int64>) throws -> BlobBytes {
        guard range.lowerBound >= 0, range.upperBound <= sizeBytes else {
            throw RequestError.invalid("The range is not within the \(sizeBytes) bytes of the content")
        }
        return BlobBytes(source: source, range: range)
    }

    /// The whole content in memory.
    ///
    /// - Throws: ``RequestError``: `INVALID_PARAMETER_VALUE` when it has more than `maximumBytes`, `DATA_LOSS` when it
    ///   does not match its digest.
    package func collect(upTo maximumBytes: Int64) async throws -> ByteBuffer {
        guard sizeBytes <= maximumBytes else {
            throw RequestError.invalid("The content has \(sizeBytes) bytes, more than \(maximumBytes)")
        }
        let cursor = source.makeCursor(0..<sizeBytes)
        guard var all = try await cursor.next() else { return ByteBuffer() }
        while var block = try await cursor.next() {
            all.writeBuffer(&block)
        }
        return all
    }
}

/// Bytes of a blob, block by block; each iteration reads them again.
package struct BlobBytes: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    let source: any BlobSource
    let range: Range<Int64>

    /// The number of bytes that the sequence has.
    package var count: Int64 { range.upperBound - range.lowerBound }

    /// Reads a block when it is asked for one, so a slow consumer holds no more than that.
    package struct AsyncIterator: AsyncIteratorProtocol {
        let cursor: any BlobCursor

        package mutating func next() async throws -> ByteBuffer? {
            try await cursor.next()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(cursor: source.makeCursor(range))
    }
}
