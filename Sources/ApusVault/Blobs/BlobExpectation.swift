internal import ApusKernel

/// What a content must be to be stored.
package struct BlobExpectation: Sendable {
    /// The digest that the sender announced.
    package var digest: Digest?
    /// The number of bytes that the sender announced.
    package var sizeBytes: Int64?
    /// The most bytes that are accepted.
    package var maximumBytes: Int64?

    package init(digest: Digest? = nil, sizeBytes: Int64? = nil, maximumBytes: Int64? = nil) {
        self.digest = digest
        self.sizeBytes = sizeBytes
        self.maximumBytes = maximumBytes
    }

    /// Any content of any size.
    package static let anything = BlobExpectation()

    /// Judges a stream that is still going on.
    func check(receivedBytes: Int64) throws {
        if let maximumBytes, receivedBytes > maximumBytes {
            throw RequestError.invalid("The content is larger than \(maximumBytes) bytes, the most that is accepted")
        }
        if let sizeBytes, receivedBytes > sizeBytes {
            throw RequestError.invalid("The content is larger than the announced \(sizeBytes) bytes")
        }
    }

    /// Judges a stream that has ended.
    func check(digest actual: Digest, sizeBytes actualBytes: Int64) throws {
        try check(receivedBytes: actualBytes)
        if let sizeBytes, actualBytes != sizeBytes {
            throw RequestError.invalid("The content has \(actualBytes) bytes, not the announced \(sizeBytes)")
        }
        if let digest, digest != actual {
            throw RequestError.invalid("The content has the SHA-256 \(actual), not the announced \(digest)")
        }
    }
}
