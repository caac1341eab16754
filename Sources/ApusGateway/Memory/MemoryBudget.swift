import ApusKernel
import Hummingbird
import NIOCore
import Synchronization

/// Bounds the memory that all requests, or all answers, take together.
///
/// A limit on each of them is no limit on the server: thousands of connections may each have nearly as much.
package final class MemoryBudget: Sendable {
    /// Bodies of requests, while they arrive and are unpacked.
    package static let bodies = MemoryBudget(bytes: 256 << 20)
    /// Answers that are in memory, until they have left.
    package static let answers = MemoryBudget(bytes: 512 << 20)

    /// A body must have arrived after this time.
    private static let patience = Duration.seconds(60)
    private let limit: Int
    private let used = Atomic<Int>(0)

    package init(bytes: Int) {
        limit = bytes
    }

    /// Counts bytes that are about to be kept; false, and nothing is counted, when the others take all the memory.
    package func reserve(_ count: Int) -> Bool {
        if used.add(count, ordering: .relaxed).newValue <= limit { return true }
        used.subtract(count, ordering: .relaxed)
        return false
    }

    /// Gives back what was counted.
    package func release(_ count: Int) {
        if count > 0 { used.subtract(count, ordering: .relaxed) }
    }

    /// Collects a body.
    ///
    /// - Throws: `RequestError`: `INVALID_PARAMETER_VALUE` when it has more than `maximum` bytes or takes too long,
    ///   `TEMPORARILY_UNAVAILABLE` when other bodies take all the memory.
    func collect(_ body: RequestBody, upTo maximum: Int) async throws -> ByteBuffer {
        let start = ContinuousClock.now
        var collected = ByteBuffer()
        let reservation = MemoryReservation(self)
        for try await piece in body {
            let count = piece.readableBytes
            guard collected.readableBytes + count <= maximum else {
                throw RequestError.invalid("The request body is larger than \(maximum) bytes.")
            }
            guard reservation.add(count) else { throw Self.tooManyBodies }
            guard ContinuousClock.now - start < Self.patience else {
                throw RequestError.invalid("The request body took longer than \(Self.patience) to arrive.")
            }
            if collected.readableBytes == 0 { collected = piece } else { collected.writeImmutableBuffer(piece) }
        }
        return collected
    }

    static let tooManyBodies = RequestError(
        .temporarilyUnavailable,
        "The server is reading too many large requests."
    )
}

/// What one request or answer takes of a budget, until nobody holds the reservation any more.
package final class MemoryReservation: Sendable {
    private let budget: MemoryBudget
    private let count: Atomic<Int>

    /// `adopted`: What was reserved already, and is released with the rest.
    package init(_ budget: MemoryBudget, adopted: Int = 0) {
        self.budget = budget
        count = Atomic(adopted)
    }

    deinit { budget.release(count.load(ordering: .relaxed)) }

    /// Counts some more bytes; false, and they are not counted, when the others take all the memory.
    package func add(_ bytes: Int) -> Bool {
        guard budget.reserve(bytes) else { return false }
        count.add(bytes, ordering: .relaxed)
        return true
    }
}
