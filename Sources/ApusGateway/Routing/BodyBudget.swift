import ApusKernel
import Hummingbird
import NIOCore
import Synchronization

/// Bounds the memory that all JSON bodies take together while they arrive.
///
/// A limit on one body is no limit on the server: thousands of connections may each send nearly as much, and stop.
final class BodyBudget: Sendable {
    static let shared = BodyBudget(bytes: 256 << 20)

    /// A body must have arrived after this time.
    private static let patience = Duration.seconds(60)
    private let limit: Int
    private let used = Atomic<Int>(0)

    init(bytes: Int) {
        limit = bytes
    }

    /// Collects a body.
    ///
    /// - Throws: `RequestError`: `INVALID_PARAMETER_VALUE` when it has more than `maximum` bytes or takes too long,
    ///   `TEMPORARILY_UNAVAILABLE` when other bodies take all the memory.
    func collect(_ body: RequestBody, upTo maximum: Int) async throws -> ByteBuffer {
        let start = ContinuousClock.now
        var collected = ByteBuffer()
        var taken = 0
        defer { used.subtract(taken, ordering: .relaxed) }
        for try await piece in body {
            let count = piece.readableBytes
            guard collected.readableBytes + count <= maximum else {
                throw RequestError.invalid("The request body is larger than \(maximum) bytes.")
            }
            taken += count
            guard used.add(count, ordering: .relaxed).newValue <= limit else {
                throw RequestError(.temporarilyUnavailable, "The server is reading too many large requests.")
            }
            guard ContinuousClock.now - start < Self.patience else {
                throw RequestError.invalid("The request body took longer than \(Self.patience) to arrive.")
            }
            if collected.readableBytes == 0 { collected = piece } else { collected.writeImmutableBuffer(piece) }
        }
        return collected
    }
}
