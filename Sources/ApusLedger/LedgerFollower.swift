/// Keeps a reader's place in the chain, so that it goes on there after a restart.
package protocol LedgerCursor: Sendable {
    /// The last event that is done; 0 for none.
    func cursor() async throws -> Int64
    /// Notes that all events up to a place in the chain are done; a place before the present one changes nothing.
    func advanceCursor(to sequence: Int64) async throws
}

/// Hands the events of the chain to one reader, in sequence, each at least once.
package struct LedgerFollower: Sendable {
    private static let eventsAtOnce: Int64 = 500

    private let ledger: Ledger
    private let place: any LedgerCursor
    private let step: Int64

    /// - Parameters:
    ///   - ledger: Whose chain is read.
    ///   - place: Where the reader is.
    ///   - step: Events that do not concern the reader move the stored place only so often.
    package init(_ ledger: Ledger, at place: any LedgerCursor, step: Int64) {
        self.ledger = ledger
        self.place = place
        self.step = step
    }

    /// Reads until the Ledger stops or the task is cancelled; after an error again from the stored place, a second later.
    ///
    /// - Parameters:
    ///   - failed: Is told of each error.
    ///   - hand: Does what an event asks for, and may advance the stored place itself.
    package func run(
        failed: @Sendable (any Error) -> Void,
        _ hand: @Sendable (SealedEvent) async throws -> Void
    ) async {
        while !Task.isCancelled {
            do {
                try await follow(hand)
                // The Ledger has stopped.
                return
            } catch {
                guard !Task.isCancelled else { return }
                failed(error)
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func follow(_ hand: @Sendable (SealedEvent) async throws -> Void) async throws {
        // Subscribed before the chain is read, so nothing falls between the two.
        let stream = ledger.subscribe()
        var position = try await place.cursor()
        var saved = position
        position = try await catchUp(after: position, hand)
        for await sealed in stream where sealed.sequence > position {
            if sealed.sequence == position + 1 {
                try await hand(sealed)
                position = sealed.sequence
            } else {
                position = try await catchUp(after: position, hand)
            }
            if position - saved >= step {
                try await place.advanceCursor(to: position)
                saved = position
            }
        }
        try? await place.advanceCursor(to: position)
    }

    /// Reads the chain to its end and returns the last place in it.
    private func catchUp(
        after start: Int64,
        _ hand: @Sendable (SealedEvent) async throws -> Void
    ) async throws -> Int64 {
        var position = start
        while !Task.isCancelled {
            let events = try await ledger.events(after: position, limit: Self.eventsAtOnce)
            for event in events { try await hand(event) }
            guard let last = events.last else { break }
            position = last.sequence
        }
        if position - start >= step { try await place.advanceCursor(to: position) }
        return position
    }
}
