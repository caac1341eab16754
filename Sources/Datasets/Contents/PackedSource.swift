import ApusKernel
import ApusVault
import NIOCore
import Synchronization

/// Reads a content out of its pack, and checks it.
struct PackedSource: BlobSource {
    let digest: Digest
    let location: PackedContent
    let pack: BlobReader
    /// Told of what does not match.
    let damages: DamagedContents

    /// All of the content.
    ///
    /// - Throws: ``RequestError`` `DATA_LOSS` when it does not match its digest.
    func content() async throws -> ByteBuffer {
        guard location.position >= 0, location.range.upperBound <= pack.sizeBytes else { throw await reportDamage() }
        var content = ByteBuffer()
        for try await block in try pack.uncheckedBytes(in: location.range) {
            if content.readableBytes == 0 { content = block } else { content.writeImmutableBuffer(block) }
        }
        guard content.withUnsafeReadableBytes({ Digest(hashing: $0) }) == digest else { throw await reportDamage() }
        return content
    }

    private func reportDamage() async -> RequestError {
        damages.note(digest)
        // Read whole, the pack is known as damaged to the Vault too, which takes the same bytes to heal it then.
        do { for try await _ in pack.bytes {} } catch {}
        return RequestError(.dataLoss, "The stored content is missing or damaged. Run 'apus doctor'.")
    }

    func verify() async throws { _ = try await content() }

    func makeCursor(_ range: Range<Int64>) -> any BlobCursor { PackedCursor(self, range) }
}

/// A part of a packed content, as one block.
private final class PackedCursor: BlobCursor {
    private let source: PackedSource
    private let range: Range<Int64>
    private let isAtEnd = Mutex(false)

    init(_ source: PackedSource, _ range: Range<Int64>) {
        self.source = source
        self.range = range
    }

    func next() async throws -> ByteBuffer? {
        let wasAtEnd = isAtEnd.withLock { isAtEnd in
            defer { isAtEnd = true }
            return isAtEnd
        }
        guard !wasAtEnd, !range.isEmpty else { return nil }
        let content = try await source.content()
        return content.getSlice(
            at: content.readerIndex + Int(clamping: range.lowerBound),
            length: Int(clamping: range.count)
        )
    }
}
