import ApusKernel
import ApusVault
import Datasets
import Synchronization

/// Blocks in memory that count how often they are asked for.
final class MemoryTreeBlocks: TreeBlocks {
    private struct State {
        var blocks: [Digest: [UInt8]] = [:]
        var readCount = 0
        var writeCount = 0
    }

    private let state = Mutex(State())

    func read(_ digest: Digest) async throws -> TreeBlock {
        let bytes = state.withLock { state in
            state.readCount += 1
            return state.blocks[digest]
        }
        guard let bytes else { throw RequestError(.dataLoss, "no such block") }
        return try TreeBlock(decoding: bytes)
    }

    func write(_ blocks: [EncodedTreeBlock]) async throws {
        for block in blocks {
            let digest = write(block.bytes)
            guard digest == block.digest else { throw RequestError.invalid("another digest") }
        }
    }

    /// Stores any bytes.
    func write(_ bytes: [UInt8]) -> Digest {
        let digest = Digest(hashing: bytes)
        state.withLock { state in
            state.writeCount += 1
            state.blocks[digest] = bytes
        }
        return digest
    }

    /// The reads and writes that `body` makes.
    func counting<Result: Sendable>(_ body: () async throws -> Result) async throws -> (
        result: Result, reads: Int, writes: Int
    ) {
        state.withLock { ($0.readCount, $0.writeCount) = (0, 0) }
        let result = try await body()
        let counts = state.withLock { ($0.readCount, $0.writeCount) }
        return (result, counts.0, counts.1)
    }

    /// The number of different blocks.
    var count: Int { state.withLock { $0.blocks.count } }
}
