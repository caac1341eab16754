import Synchronization

/// Tells pages that are open what has just changed.
///
/// Events of the Ledger pass through here, and changes that are too frequent to be events, such as points of metrics. A
/// reader that is slow finds many changes of one subject as one; nobody ever waits for a reader. The latest changes are
/// remembered, so that a page learns what happened between its making and its first connection.
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
    /// So many subjects are remembered; then all are forgotten, and whoever asks about them is told ``everything``.
    private static let memoryLimit = 10_000

    private struct State {
        var readers: [ObjectIdentifier: Subscription] = [:]
        /// How many changes there were, and with which of them each subject changed last.
        var count = 0
        var last: [String: Int] = [:]
        /// Nothing is known of changes up to this one.
        var forgotten = 0
    }

    /// Differs from that of every other feed, so that a place of an earlier process is known as such.
    private let name = UInt64.random(in: .min ... .max)
    private let state = Mutex(State())

    package init() {}

    /// Where the feed is now: what ``subscribe(after:)`` takes later.
    package var place: String { "\(name)-\(state.withLock(\.count))" }

    /// Tells all readers.
    package func note(_ change: String) {
        state.withLock { state in
            if state.last.count >= Self.memoryLimit {
                state.last.removeAll()
                state.forgotten = state.count
            }
            state.count += 1
            state.last[change] = state.count
            for reader in state.readers.values { reader.note(change) }
        }
    }

    /// A new reader, which must be ended with ``end(_:)``; nil when there are too many.
    ///
    /// It finds what has changed after a place first; an empty text is the place where the feed is now.
    package func subscribe(after place: String = "") -> Subscription? {
        let reader = Subscription()
        return state.withLock { state in
            guard state.readers.count < Self.readerLimit else { return nil }
            state.readers[ObjectIdentifier(reader)] = reader
            guard !place.isEmpty else { return reader }
            let parts = place.split(separator: "-", maxSplits: 1)
            if parts.count == 2, UInt64(parts[0]) == name, let count = Int(parts[1]), count >= state.forgotten {
                guard count < state.count else { return reader }
                for (change, number) in state.last where number > count { reader.note(change) }
            } else {
                reader.note(Self.everything)
            }
            return reader
        }
    }

    package func end(_ reader: Subscription) {
        reader.close()
        state.withLock { $0.readers[ObjectIdentifier(reader)] = nil }
    }

    /// Ends all readers, so that a server can stop.
    package func close() {
        for reader in state.withLock({ Array($0.readers.values) }) { end(reader) }
    }
}
