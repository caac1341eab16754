import ApusKernel
import NIOCore

/// A small upload, counted while it is received.
///
/// Throws in place of its end when it is empty, and as soon as it is too large, so that nothing of it is kept.
struct ArtifactUpload<Bytes: AsyncSequence & Sendable>: AsyncSequence, Sendable where Bytes.Element == ByteBuffer {
    let bytes: Bytes

    struct AsyncIterator: AsyncIteratorProtocol {
        var base: Bytes.AsyncIterator
        var received = 0

        mutating func next() async throws -> ByteBuffer? {
            guard let chunk = try await base.next() else {
                guard received > 0 else { throw RequestError.invalid("Request must specify data.") }
                return nil
            }
            received += chunk.readableBytes
            guard received <= ArtifactService.maximumBrowserUploadBytes else { throw ArtifactService.uploadTooLarge }
            return chunk
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: bytes.makeAsyncIterator())
    }
}
