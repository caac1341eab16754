internal import Synchronization

/// Which blobs' files are known to match their digests, or not to.
final class VerifiedBlobs: Sendable {
    private struct State {
        var intact: [Digest: FileIdentity] = [:]
        /// The keys of `intact`, oldest first, with those that were forgotten.
        var order: [Digest] = []
        var damaged: Set<Digest> = []
    }

    private let capacity: Int
    private let state = Mutex(State())
    /// Lets one reader verify a blob while others wait for the outcome.
    let gate = KeyedGate<Digest>()

    /// - Parameter capacity: The most blobs that are remembered of each kind.
    init(capacity: Int) {
        self.capacity = max(capacity, 1)
    }

    /// Whether the file, as it is, was found to match.
    func isIntact(_ digest: Digest, _ identity: FileIdentity) -> Bool {
        state.withLock { $0.intact[digest] == identity }
    }

    /// Whether a read of the blob failed since it was last written.
    func isDamaged(_ digest: Digest) -> Bool {
        state.withLock { $0.damaged.contains(digest) }
    }

    /// Remembers that the file matches.
    func noteIntact(_ digest: Digest, _ identity: FileIdentity) {
        state.withLock { state in
            state.damaged.remove(digest)
            if state.intact.updateValue(identity, forKey: digest) == nil { state.order.append(digest) }
            guard state.order.count > capacity else { return }
            // A half at once, so that the cost is constant on average.
            let dropped = state.order.prefix(max(capacity / 2, 1))
            for digest in dropped { state.intact[digest] = nil }
            state.order.removeFirst(dropped.count)
        }
    }

    /// Remembers that the blob does not match.
    func noteDamaged(_ digest: Digest) {
        state.withLock { state in
            state.intact[digest] = nil
            if state.damaged.count < capacity { state.damaged.insert(digest) }
        }
    }

    /// Keeps what is known of a file whose times we changed ourselves.
    func rename(_ digest: Digest, from before: FileIdentity, to after: FileIdentity) {
        state.withLock { state in
            if state.intact[digest] == before { state.intact[digest] = after }
        }
    }

    /// Forgets what is known of a blob.
    func forget(_ digest: Digest) {
        state.withLock { state in
            state.intact[digest] = nil
            state.damaged.remove(digest)
        }
    }
}

/// Lets one task at a time do something for a key.
actor KeyedGate<Key: Hashable & Sendable> {
    private var waiters: [Key: [CheckedContinuation<Void, Never>]] = [:]

    /// Runs `body` after everyone who came before for the same key has left.
    func enter<Result: Sendable>(_ key: Key, _ body: @Sendable () async throws -> Result) async rethrows -> Result {
        if waiters[key] == nil {
            waiters[key] = []
        } else {
            await withCheckedContinuation { waiters[key, default: []].append($0) }
        }
        defer { leave(key) }
        return try await body()
    }

    private func leave(_ key: Key) {
        guard var queue = waiters[key], !queue.isEmpty else {
            waiters[key] = nil
            return
        }
        let next = queue.removeFirst()
        waiters[key] = queue
        next.resume()
    }
}
