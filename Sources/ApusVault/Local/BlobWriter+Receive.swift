internal import NIOCore

extension BlobWriter {
    /// The bytes that are hashed and written at a time.
    static let blockBytes = 1 << 20

    /// Takes a stream in and has the file placed by `place`; nothing is left when this throws.
    ///
    /// While one block is written the next is received, and no more than these two are held.
    nonisolated func receive<Bytes: AsyncSequence & Sendable, Result: Sendable>(
        _ bytes: Bytes,
        place: @Sendable (Written) throws -> Result
    ) async throws -> Result where Bytes.Element == ByteBuffer {
        do {
            let last = try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
                try await receiveBlocks(of: bytes, in: &group)
            }
            return try await finish(last, place: place)
        } catch {
            await abandon()
            throw error
        }
    }

    /// Writes all full blocks and returns the rest.
    private nonisolated func receiveBlocks<Bytes: AsyncSequence & Sendable>(
        of bytes: Bytes,
        in group: inout ThrowingTaskGroup<ByteBuffer, any Error>
    ) async throws -> ByteBuffer where Bytes.Element == ByteBuffer {
        var block = ByteBuffer()
        var isWriting = false
        var received: Int64 = 0
        for try await var chunk in bytes {
            received += Int64(chunk.readableBytes)
            try expectation.check(receivedBytes: received)
            while chunk.readableBytes > 0 {
                let room = min(Self.blockBytes - block.readableBytes, chunk.readableBytes)
                guard var part = chunk.readSlice(length: room) else { break }
                block.writeBuffer(&part)
                guard block.readableBytes >= Self.blockBytes else { continue }
                let spare = isWriting ? try await group.next() : nil
                let full = block
                group.addTask {
                    try await self.append(full)
                    return full
                }
                isWriting = true
                block = spare ?? ByteBuffer()
                block.clear(minimumCapacity: Self.blockBytes)
            }
        }
        // A stream may just end when its task is cancelled; that is not the end of the content.
        try Task.checkCancellation()
        while try await group.next() != nil {}
        return block
    }
}
