package import ApusDatabase
package import ApusKernel
package import Logging
import ServiceLifecycle
import Synchronization

/// The append-only, hash-chained record of everything that happened.
///
/// Capabilities record events in the transaction of the change; a service seals them in order and hands them to
/// subscribers. Whoever reads the chain sees each event once, in sequence.
package final class Ledger: Service {
    /// What readers without a memory are told: sealed events, and changes that are no events.
    package let changes = ChangeFeed()
    private let database: Database
    private let clock: any WallClock
    private let logger: Logger
    private let bell = Bell()
    private let subscribers = Mutex<[UInt64: AsyncStream<SealedEvent>.Continuation]>([:])
    private let nextSubscriber = Atomic<UInt64>(0)
    private static let sealsAtOnce = 2_000
    /// A subscriber that lags by more than this misses events and must read the chain.
    private static let subscriberBuffer = 4_096

    package init(database: Database, clock: any WallClock, logger: Logger) {
        self.database = database
        self.clock = clock
        self.logger = logger
    }

    /// Records events with the changes of `transaction`: they are durable together or not at all.
    package func record(_ events: [LedgerEvent], in transaction: Transaction) throws {
        guard !events.isEmpty else { return }
        let now = clock.milliseconds
        let ids = try transaction.insert(
            BulkInsert(
                into: "ledger_events",
                [
                    ("time_ms", .integers(events.map { _ in now })),
                    ("actor", .texts(events.map(\.actor))),
                    ("action", .texts(events.map(\.action))),
                    ("subject", .texts(events.map(\.subject))),
                    ("payload", .texts(events.map(\.payload))),
                ],
                conflict: ""
            ),
            returning: "event_id"
        )
        try transaction.insert(BulkInsert(into: "ledger_unsealed", [("event_id", .integers(ids))], conflict: ""))
        transaction.onCommit { [bell] in bell.ring() }
    }

    /// Records one event; see ``record(_:in:)-([LedgerEvent],_)``.
    package func record(_ event: LedgerEvent, in transaction: Transaction) throws {
        try record([event], in: transaction)
    }

    /// Seals events as they come, until the service is stopped; what is left then is sealed at the next start.
    package func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            while !bell.isClosed {
                do {
                    while try await seal() > 0 {}
                } catch {
                    logger.error("events could not be sealed", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: .seconds(1))
                    bell.ring()
                }
                await bell.wait()
            }
            _ = try? await seal()
        } onCancelOrGracefulShutdown: { [bell] in
            bell.close()
        }
        let open = subscribers.withLock { subscribers in
            defer { subscribers.removeAll() }
            return subscribers.values.map { $0 }
        }
        for continuation in open { continuation.finish() }
        changes.close()
    }

    /// Gives unsealed events their place in the chain.
    ///
    /// - Returns: How many were sealed.
    @discardableResult
    package func seal() async throws -> Int {
        let sealed = try await database.write { transaction in
            // With several servers on one database only one extends the chain at a time.
            try transaction.lock("ledger/chain")
            let waiting = try transaction.query(
                """
                SELECT e.event_id, e.time_ms, e.actor, e.action, e.subject, e.payload
                FROM ledger_unsealed u
                JOIN ledger_events e ON e.event_id = u.event_id
                ORDER BY e.event_id
                LIMIT ?
                """,
                [.integer(Int64(Self.sealsAtOnce))]
            ) { ($0.integer(0), $0.integer(1), Self.event($0, from: 2)) }
            guard !waiting.isEmpty else { return [SealedEvent]() }
            var (sequence, previous) = try Self.head(transaction)
            var sealed: [SealedEvent] = []
            for (_, milliseconds, event) in waiting {
                sequence += 1
                previous = Chain.hash(after: previous, sequence: sequence, milliseconds: milliseconds, event: event)
                sealed.append(
                    SealedEvent(sequence: sequence, milliseconds: milliseconds, event: event, hash: previous)
                )
            }
            let ids = waiting.map(\.0)
            try transaction.insert(
                BulkInsert(
                    into: "ledger_chain",
                    [
                        ("sequence", .integers(sealed.map(\.sequence))),
                        ("event_id", .integers(ids)),
                        ("hash", .blobs(sealed.map(\.hash))),
                    ],
                    conflict: ""
                )
            )
            try transaction.execute("DELETE FROM ledger_unsealed WHERE event_id IN (?*)", [.integers(ids)])
            return sealed
        }
        let continuations = subscribers.withLock { $0.values.map { $0 } }
        for continuation in continuations {
            for event in sealed { continuation.yield(event) }
        }
        for event in sealed { changes.note("\(event.event.action) \(event.event.subject)") }
        return sealed.count
    }

    /// Events from now on, in sequence, as this process seals them.
    package func subscribe() -> AsyncStream<SealedEvent> {
        let id = nextSubscriber.wrappingAdd(1, ordering: .relaxed).newValue
        let (stream, continuation) = AsyncStream.makeStream(
            of: SealedEvent.self,
            bufferingPolicy: .bufferingOldest(Self.subscriberBuffer)
        )
        continuation.onTermination = { [weak self] _ in
            self?.subscribers.withLock { _ = $0.removeValue(forKey: id) }
        }
        subscribers.withLock { $0[id] = continuation }
        return stream
    }

    /// Sealed events after a place in the chain, oldest first.
    package func events(after sequence: Int64, limit: Int64) async throws -> [SealedEvent] {
        try await database.read { try Self.events(after: sequence, limit: limit, $0) }
    }

    /// The newest sealed events, the newest first.
    package func newestEvents(limit: Int64) async throws -> [SealedEvent] {
        try await database.read { transaction in
            let head = try Self.head(transaction).sequence
            return try Self.events(after: max(0, head - limit), limit: limit, transaction).reversed()
        }
    }

    static func events(after sequence: Int64, limit: Int64, _ transaction: Transaction) throws -> [SealedEvent] {
        try transaction.query(
            """
            SELECT c.sequence, c.hash, e.time_ms, e.actor, e.action, e.subject, e.payload
            FROM ledger_chain c
            JOIN ledger_events e ON e.event_id = c.event_id
            WHERE c.sequence > ?
            ORDER BY c.sequence
            LIMIT ?
            """,
            [.integer(sequence), .integer(limit)]
        ) { row in
            SealedEvent(
                sequence: row.integer(0),
                milliseconds: row.integer(2),
                event: event(row, from: 3),
                hash: row.blob(1)
            )
        }
    }

    private static func event(_ row: Row, from column: Int32) -> LedgerEvent {
        LedgerEvent(
            actor: row.text(column),
            action: row.text(column + 1),
            subject: row.text(column + 2),
            payload: row.text(column + 3)
        )
    }

    private static func head(_ transaction: Transaction) throws -> (sequence: Int64, hash: [UInt8]) {
        try transaction.first("SELECT sequence, hash FROM ledger_chain ORDER BY sequence DESC LIMIT 1") {
            ($0.integer(0), $0.blob(1))
        } ?? (0, Chain.origin)
    }
}

/// Wakes the one task that waits; rings while nobody waits are remembered once.
private final class Bell: Sendable {
    private struct State {
        var isRung = false
        var isClosed = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func ring() { wake { $0.isRung = true } }
    func close() { wake { $0.isClosed = true } }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.isRung || state.isClosed {
                    state.isRung = false
                    return true
                }
                state.waiting = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state in
            change(&state)
            guard state.waiting != nil else { return nil as CheckedContinuation<Void, Never>? }
            state.isRung = false
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }
}
