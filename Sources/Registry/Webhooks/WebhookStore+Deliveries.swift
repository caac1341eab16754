import ApusDatabase
import ApusKernel
import ApusLedger

/// One message to one webhook.
struct WebhookDelivery: Sendable {
    /// The key inside the database.
    let key: Int64
    /// A UUID, the same for all tries, by which receivers notice that they have seen a message.
    let id: String
    let webhookKey: Int64
    let webhookID: String
    let url: String
    let sealedSecret: [UInt8]?
    let body: String
    /// How often it was tried before.
    let tries: Int
}

extension WebhookStore {
    /// A webhook that does not keep up is told nothing more while so many messages wait for it.
    private static let waitingPerWebhook: Int64 = 10_000

    /// The last event that was turned into deliveries.
    package func cursor() async throws -> Int64 {
        try await database.read { try Self.cursor($0) }
    }

    private static func cursor(_ transaction: Transaction) throws -> Int64 {
        try transaction.first("SELECT sequence FROM webhook_cursor WHERE id = 1") { $0.integer(0) } ?? 0
    }

    /// Notes that all events up to a place in the chain are done.
    package func advanceCursor(to sequence: Int64) async throws {
        try await database.write { transaction in
            try transaction.lock("webhooks/cursor")
            try Self.advanceCursor(to: sequence, transaction)
        }
    }

    private static func advanceCursor(to sequence: Int64, _ transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO webhook_cursor (id, sequence) VALUES (1, ?)
            ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence
            WHERE webhook_cursor.sequence < excluded.sequence
            """,
            [.integer(sequence)]
        )
    }

    /// Turns one event into deliveries, each exactly once also with several servers on one database.
    ///
    /// - Returns: How many there are; none when no active webhook of that time asked for it.
    func distribute(_ sealed: SealedEvent) async throws -> Int {
        guard let event = WebhookEvent(ledgerAction: sealed.event.action) else { return 0 }
        let isWanted = try await database.read { try !Self.receivers(event, sealed, $0).isEmpty }
        guard isWanted else { return 0 }
        let body = WebhookMessage.body(event, milliseconds: sealed.milliseconds, data: sealed.event.payload)
        return try await database.write { [self] transaction in
            try transaction.lock("webhooks/cursor")
            guard try Self.cursor(transaction) < sealed.sequence else { return 0 }
            let receivers = try Self.receivers(event, sealed, transaction)
            for receiver in receivers {
                try transaction.execute(
                    """
                    INSERT INTO webhook_deliveries (delivery_id, webhook_key, body, tries, due_time)
                    VALUES (?, ?, ?, 0, ?)
                    """,
                    [.text(uuid()), .integer(receiver), .text(body), .integer(clock.milliseconds)]
                )
            }
            try Self.advanceCursor(to: sealed.sequence, transaction)
            return receivers.count
        }
    }

    private static func receivers(
        _ event: WebhookEvent,
        _ sealed: SealedEvent,
        _ transaction: Transaction
    ) throws -> [Int64] {
        try transaction.query(
            """
            SELECT w.webhook_key
            FROM webhook_events e
            JOIN webhooks w ON w.webhook_key = e.webhook_key
            WHERE e.entity = ? AND e.action = ? AND w.status = 'ACTIVE' AND w.creation_timestamp <= ?
                AND (SELECT COUNT(*) FROM webhook_deliveries d WHERE d.webhook_key = w.webhook_key) < ?
            ORDER BY w.webhook_key
            """,
            [
                .text(event.entity.rawValue), .text(event.action.rawValue), .integer(sealed.milliseconds),
                .integer(waitingPerWebhook),
            ]
        ) { $0.integer(0) }
    }

    /// How many deliveries were not made yet, up to as many as are counted.
    package func waitingDeliveries() async throws -> Int64 {
        try await database.read { try $0.usage("", of: "webhook_deliveries").count }
    }

    /// Takes deliveries that are due, so that no other server sends them meanwhile.
    ///
    /// - Parameters:
    ///   - limit: The most to take.
    ///   - perWebhook: The most to be under way to one webhook.
    ///   - running: How many are under way, by the webhook's key.
    ///   - lease: After this time others may take them: this server has died.
    /// - Returns: What to send now.
    /// - Throws: `DatabaseError`.
    func claim(
        limit: Int,
        perWebhook: Int,
        running: [Int64: Int],
        lease: Duration
    ) async throws -> [WebhookDelivery] {
        let saturated = running.filter { $0.value >= perWebhook }.map(\.key)
        let now = clock.milliseconds
        let query = """
            SELECT d.delivery_key, d.delivery_id, d.webhook_key, w.webhook_id, w.url, w.secret, d.body, d.tries
            FROM webhook_deliveries d
            JOIN webhooks w ON w.webhook_key = d.webhook_key
            WHERE d.due_time <= ? AND d.webhook_key NOT IN (?*)
            ORDER BY d.due_time, d.delivery_key
            LIMIT ?
            """
        let values: [SQLValue] = [.integer(now), .integers(saturated), .integer(Int64(limit * 8))]
        let isDue = try await database.read { try $0.first(query, values) { _ in true } ?? false }
        guard isDue else { return [] }
        return try await database.write { transaction in
            try transaction.lock("webhooks/deliveries")
            var running = running
            let due = try transaction.query(query, values, Self.delivery)
            let chosen = due.filter { delivery in
                guard running[delivery.webhookKey, default: 0] < perWebhook else { return false }
                running[delivery.webhookKey, default: 0] += 1
                return true
            }.prefix(limit)
            try transaction.execute(
                "UPDATE webhook_deliveries SET due_time = ? WHERE delivery_key IN (?*)",
                [.integer(now + lease.milliseconds), .integers(chosen.map(\.key))]
            )
            return Array(chosen)
        }
    }

    private static func delivery(_ row: Row) -> WebhookDelivery {
        WebhookDelivery(
            key: row.integer(0),
            id: row.text(1),
            webhookKey: row.integer(2),
            webhookID: row.text(3),
            url: row.text(4),
            sealedSecret: row.optionalBlob(5),
            body: row.text(6),
            tries: Int(clamping: row.integer(7))
        )
    }

    /// Forgets a delivery that was made or given up.
    func finish(_ delivery: WebhookDelivery) async throws {
        try await database.write { transaction in
            try transaction.execute(
                "DELETE FROM webhook_deliveries WHERE delivery_key = ?",
                [.integer(delivery.key)]
            )
        }
    }

    /// Puts a delivery back until `delay` has passed; one that was broken off here does not count as a try.
    func postpone(_ delivery: WebhookDelivery, by delay: Duration, countsTry: Bool) async throws {
        let due = clock.milliseconds + delay.milliseconds
        try await database.write { transaction in
            try transaction.execute(
                "UPDATE webhook_deliveries SET tries = ?, due_time = ? WHERE delivery_key = ?",
                [.integer(Int64(delivery.tries + (countsTry ? 1 : 0))), .integer(due), .integer(delivery.key)]
            )
        }
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 {
        components.seconds &* 1_000 &+ components.attoseconds / 1_000_000_000_000_000
    }
}
