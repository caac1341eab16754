import Synchronization

/// Tells pages that are open what has just changed, without keeping anything.
///
/// Events of the Ledger pass through here, and changes that are too frequent to be events, such as points of metrics. A
/// reader that is slow finds many changes of one subject as one; nobody ever waits for a reader.
package final class ChangeFeed: Sendable {
    /// What one reader has not seen yet.
    package final class Subscription: Sendable {
        private struct State {
            var pending: Set<String> = []
            var isClosed = false
            var waiting: CheckedContinuation<Void, Never>?
        }

        /// More changes than this become one that says that much has changed.
        private static let limit = 1_000
        private let state = Mutex(State())

        fileprivate init() {}

        /// The changes since the last call; nil when the feed has ended.
        ///
        /// Waits until there is one.
        package func next() async -> Set<String>? {
            while true {
                let found: Set<String>?? = state.withLock { state in
                    if !state.pending.isEmpty {
                        defer { state.pending.removeAll() }
                        return .some(state.pending)
                    }
                    return state.isClosed ? .some(nil) : nil
                }
                if let found { return found }
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        if !state.pending.isEmpty || state.isClosed { return true }
                        state.waiting = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            }
        }

        /// Adds a change for this reader alone.
        package func note(_ change: String) {
            wake { state in
                guard state.pending.count < Self.limit else { return state.pending = [ChangeFeed.everything] }
                state.pending.insert(change)
            }
        }

        package func close() { wake { $0.isClosed = true } }

        private func wake(_ change: (inout State) -> Void) {
            let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
                change(&state)
                defer { state.waiting = nil }
                return state.waiting
            }
            waiting?.resume()
        }
    }

    /// Stands for more changes than were counted.
    package static let everything = "*"
    private static let readerLimit = 256
    private let count = Atomic<Int>(0)
    private let readers = Mutex<[ObjectIdentifier: Subscription]>([:])

    package init() {}

    /// Tells all readers; costs next to nothing when there is none.
    package func note(_ change: @autoclosure () -> String) {
        guard count.load(ordering: .relaxed) > 0 else { return }
        let change = change()
        for reader in readers.withLock({ Array($0.values) }) { reader.note(change) }
    }

    /// A new reader, which must be ended with ``end(_:)``; nil when there are too many.
    package func subscribe() -> Subscription? {
        let reader = Subscription()
        return readers.withLock { readers in
            guard readers.count < Self.readerLimit else { return nil }
            readers[ObjectIdentifier(reader)] = reader
            count.store(readers.count, ordering: .relaxed)
            return reader
        }
    }

    package func end(_ reader: Subscription) {
        reader.close()
        readers.withLock { readers in
            readers[ObjectIdentifier(reader)] = nil
            count.store(readers.count, ordering: .relaxed)
        }
    }

    /// Ends all readers, so that a server can stop.
    package func close() {
        for reader in readers.withLock({ Array($0.values) }) { end(reader) }
    }
}
