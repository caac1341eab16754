package import ApusDatabase
package import ApusGateway
package import ApusKernel
package import ApusLedger
import ApusQuery
package import Tracking

/// Webhooks and what is still to be delivered to them.
package final class WebhookStore: LedgerCursor {
    static let subject = "Webhook URL"
    private static let webhookLimit: Int64 = 1_000
    private static let eventsPerWebhook = 100
    private static let secretLength = 1_000

    let database: Database
    let ledger: Ledger
    let clock: any WallClock
    let identifiers: any IdentifierSource
    let egress: Egress
    let secrets: WebhookSecrets

    package init(
        database: Database,
        ledger: Ledger,
        clock: any WallClock = SystemWallClock(),
        identifiers: any IdentifierSource = RandomIdentifiers(),
        egress: Egress,
        secrets: WebhookSecrets
    ) {
        self.database = database
        self.ledger = ledger
        self.clock = clock
        self.identifiers = identifiers
        self.egress = egress
        self.secrets = secrets
    }

    /// Makes a webhook.
    package func create(_ new: NewWebhook) async throws -> Webhook {
        try Self.checkName(new.name)
        try Self.check(new.events)
        _ = try Limits.checkLength(new.description, RegistryLimits.descriptionLength, "description")
        _ = try Limits.checkLength(new.secret, Self.secretLength, "secret")
        try await egress.check(new.url, subject: Self.subject)
        let id = uuid()
        let secret = new.secret.isEmpty ? nil : try secrets.seal(new.secret, webhook: id)
        return try await database.write { [self] transaction in
            try transaction.lock("webhooks")
            let count = try transaction.first("SELECT COUNT(*) FROM webhooks") { $0.integer(0) } ?? 0
            guard count < Self.webhookLimit else {
                throw RequestError.invalid("There can be at most \(Self.webhookLimit) webhooks.")
            }
            let now = clock.milliseconds
            let key = try transaction.first(
                """
                INSERT INTO webhooks (
                    webhook_id, name, description, url, status, secret, creation_timestamp, last_updated_timestamp
                )
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                RETURNING webhook_key
                """,
                [
                    .text(id), .text(new.name), .text(new.description), .text(new.url),
                    .text(Self.status(new.isActive)), secret.map(SQLValue.blob) ?? .null, .integer(now), .integer(now),
                ]
            ) { $0.integer(0) }
            guard let key else { throw DatabaseError(.other, "no identifier was returned") }
            try Self.insert(new.events, key, transaction)
            try record("webhook.created", id, transaction)
            return try Self.webhook(id, transaction)
        }
    }

    /// Changes a webhook; one that is disabled forgets what it was still to be told.
    package func update(_ id: String, _ change: WebhookChange) async throws -> Webhook {
        if let name = change.name { try Self.checkName(name) }
        if let events = change.events { try Self.check(events) }
        _ = try Limits.checkLength(change.description ?? "", RegistryLimits.descriptionLength, "description")
        _ = try Limits.checkLength(change.secret ?? "", Self.secretLength, "secret")
        if let url = change.url { try await egress.check(url, subject: Self.subject) }
        let secret = try change.secret.map { $0.isEmpty ? SQLValue.null : .blob(try secrets.seal($0, webhook: id)) }
        return try await database.write { [self] transaction in
            try transaction.lock("webhooks")
            let old = try Self.webhook(id, transaction)
            let isActive = change.isActive ?? old.isActive
            try transaction.execute(
                """
                UPDATE webhooks
                SET name = ?, description = ?, url = ?, status = ?, secret = ?, last_updated_timestamp = ?
                WHERE webhook_key = ?
                """,
                [
                    .text(change.name ?? old.name), .text(change.description ?? old.description),
                    .text(change.url ?? old.url), .text(Self.status(isActive)),
                    secret ?? old.sealedSecret.map(SQLValue.blob) ?? .null, .integer(clock.milliseconds),
                    .integer(old.key),
                ]
            )
            if let events = change.events {
                try transaction.execute("DELETE FROM webhook_events WHERE webhook_key = ?", [.integer(old.key)])
                try Self.insert(events, old.key, transaction)
            }
            if !isActive {
                try transaction.execute("DELETE FROM webhook_deliveries WHERE webhook_key = ?", [.integer(old.key)])
            }
            try record("webhook.updated", id, transaction)
            return try Self.webhook(id, transaction)
        }
    }

    /// Deletes a webhook and what it was still to be told.
    package func delete(_ id: String) async throws {
        try await database.write { [self] transaction in
            try transaction.lock("webhooks")
            let deleted = try transaction.executeAndCount("DELETE FROM webhooks WHERE webhook_id = ?", [.text(id)])
            guard deleted > 0 else { throw RegistryError.webhookNotFound(id: id) }
            try record("webhook.deleted", id, transaction)
        }
    }

    /// One webhook.
    package func webhook(_ id: String) async throws -> Webhook {
        try await database.read { try Self.webhook(id, $0) }
    }

    /// One page of webhooks, newest first; `limit` 0 means 100.
    package func webhooks(limit: Int64, pageToken: String) async throws -> Page<Webhook> {
        let limit = limit == 0 ? 100 : limit
        guard (1...1_000).contains(limit) else {
            throw RequestError.invalid("max_results must be between 1 and 1000.")
        }
        let offset = Int64(try PageToken(decoding: pageToken).offset)
        return try await database.read { transaction in
            let found = try Self.webhooks(
                where: "1 = 1 ORDER BY w.creation_timestamp DESC, w.webhook_key DESC LIMIT ? OFFSET ?",
                [.integer(limit + 1), .integer(offset)],
                transaction
            )
            return Page(fetched: found, limit: limit, offset: offset)
        }
    }

    private static func webhook(_ id: String, _ transaction: Transaction) throws -> Webhook {
        let found = try webhooks(where: "w.webhook_id = ?", [.text(id)], transaction).first
        guard let found else { throw RegistryError.webhookNotFound(id: id) }
        return found
    }

    /// Webhooks with their events; `clause` is a condition on the table `w` and what follows it.
    private static func webhooks(
        where clause: String,
        _ values: [SQLValue],
        _ transaction: Transaction
    ) throws -> [Webhook] {
        var found = try transaction.query(
            """
            SELECT w.webhook_key, w.webhook_id, w.name, w.description, w.url, w.status, w.secret, w.creation_timestamp,
                w.last_updated_timestamp
            FROM webhooks w
            WHERE \(clause)
            """,
            values
        ) { row in
            Webhook(
                key: row.integer(0),
                id: row.text(1),
                name: row.text(2),
                description: row.text(3),
                url: row.text(4),
                isActive: row.text(5) == "ACTIVE",
                sealedSecret: row.optionalBlob(6),
                creationTime: row.integer(7),
                lastUpdatedTime: row.integer(8)
            )
        }
        guard !found.isEmpty else { return [] }
        var events: [Int64: [WebhookEvent]] = [:]
        try transaction.forEach(
            """
            SELECT webhook_key, entity, action
            FROM webhook_events
            WHERE webhook_key IN (?*)
            ORDER BY webhook_key, entity, action
            """,
            [.integers(found.map(\.key))]
        ) { row in
            guard let event = WebhookEvent(ledgerAction: "\(row.text(1)).\(row.text(2))") else { return }
            events[row.integer(0), default: []].append(event)
        }
        for index in found.indices { found[index].events = events[found[index].key] ?? [] }
        return found
    }

    private static func insert(_ events: [WebhookEvent], _ key: Int64, _ transaction: Transaction) throws {
        try transaction.insert(
            BulkInsert(
                into: "webhook_events",
                [
                    ("webhook_key", .integers(events.map { _ in key })),
                    ("entity", .texts(events.map(\.entity.rawValue))),
                    ("action", .texts(events.map(\.action.rawValue))),
                ],
                conflict: "ON CONFLICT DO NOTHING"
            )
        )
    }

    private func record(_ action: String, _ id: String, _ transaction: Transaction) throws {
        try ledger.record(LedgerEvent(action: action, subject: "webhook/\(id)"), in: transaction)
    }

    private static func status(_ isActive: Bool) -> String { isActive ? "ACTIVE" : "DISABLED" }

    private static func check(_ events: [WebhookEvent]) throws {
        guard !events.isEmpty, events.count <= eventsPerWebhook else {
            throw RequestError.invalid("Webhook events must be a non-empty list of WebhookEvent objects: [].")
        }
        guard Set(events).count == events.count else {
            throw RequestError.invalid("Webhook events must not name an event twice.")
        }
    }

    private static func checkName(_ name: String) throws {
        func isEnd(_ byte: UInt8?) -> Bool {
            guard let byte else { return false }
            return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        let bytes = Array(name.utf8)
        guard bytes.count <= 63, isEnd(bytes.first), isEnd(bytes.last),
            bytes.allSatisfy({ isEnd($0) || "._-".utf8.contains($0) })
        else {
            throw RequestError.invalid(
                "Webhook name '\(name)' is invalid. It must start and end with a letter or digit, be less than 63 "
                    + "characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-)."
            )
        }
    }

    /// A new identifier with hyphens.
    func uuid() -> String {
        let digits = Array(identifiers.hex32())
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0.clamped(to: digits.indices)]) }
            .joined(separator: "-")
    }
}
