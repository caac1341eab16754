package import ApusDatabase
import ApusGateway
import ApusJSON
package import ApusKernel
package import ApusLedger

/// What is logged of each endpoint, in the database.
package struct LogPolicyStore: Sendable {
    package static let migrations: [Migration] = [
        Migration(
            "serving-1001-log-policies",
            [
                """
                CREATE TABLE serving_log_policies (
                    endpoint TEXT NOT NULL PRIMARY KEY,
                    policy TEXT NOT NULL,
                    changed_ms INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID
                """
            ]
        )
    ]

    private let database: Database
    private let ledger: Ledger
    private let clock: any WallClock

    package init(database: Database, ledger: Ledger, clock: any WallClock = SystemWallClock()) {
        self.database = database
        self.ledger = ledger
        self.clock = clock
    }

    /// All that were set, by the endpoints' names.
    package func all() async throws -> [String: InferenceLogPolicy] {
        let found = try await database.read { transaction in
            try transaction.query("SELECT endpoint, policy FROM serving_log_policies") { ($0.text(0), $0.text(1)) }
        }
        return found.reduce(into: [:]) { $0[$1.0] = InferenceLogPolicy(json: $1.1) }
    }

    /// The policy of an endpoint; nil when none was set.
    package func policy(of endpoint: String) async throws -> InferenceLogPolicy? {
        try await database.read { transaction in
            try transaction.first(
                "SELECT policy FROM serving_log_policies WHERE endpoint = ?",
                [.text(endpoint)]
            ) { $0.text(0) }
        }.flatMap { InferenceLogPolicy(json: $0) }
    }

    /// Sets the policy of an endpoint.
    ///
    /// `reason` says why, in the words of who does it.
    ///
    /// - Throws: ``ServingError`` `invalid` for a policy that makes no sense.
    package func set(_ policy: InferenceLogPolicy, for endpoint: String, reason: String = "") async throws {
        try policy.check()
        let now = clock.milliseconds
        try await database.write(subject: "endpoint/\(endpoint)") { transaction in
            try transaction.execute(
                """
                INSERT INTO serving_log_policies (endpoint, policy, changed_ms) VALUES (?, ?, ?)
                ON CONFLICT (endpoint) DO UPDATE SET policy = excluded.policy, changed_ms = excluded.changed_ms
                """,
                [.text(endpoint), .text(policy.json), .integer(now)]
            )
            var payload = JSONWriter()
            payload.object { json in
                json.key("reason")
                json.string(reason)
                json.key("logging")
                json.raw(json: policy.json.utf8)
            }
            try ledger.record(
                LedgerEvent(
                    action: "endpoint.logging_changed",
                    subject: "endpoint/\(endpoint)",
                    payload: String(decoding: payload.bytes, as: UTF8.self)
                ),
                in: transaction
            )
        }
    }

    /// Forgets the policy of an endpoint that is gone, with its deletion.
    package static func remove(_ endpoint: String, in transaction: Transaction) throws {
        try transaction.execute("DELETE FROM serving_log_policies WHERE endpoint = ?", [.text(endpoint)])
    }
}

extension InferenceLogPolicy {
    /// As the database and the API write it.
    var json: String {
        var writer = JSONWriter()
        writer.object { json in
            json.key("rate")
            json.double(rate)
            json.key("per_second")
            json.integer(Int64(perSecond))
            json.key("errors")
            json.bool(keepsErrors)
            if let slowerThanMilliseconds {
                json.key("slower_than_ms")
                json.double(slowerThanMilliseconds)
            }
            if let confidenceBelow {
                json.key("confidence_below")
                json.double(confidenceBelow)
            }
            json.key("data")
            json.bool(keepsData)
            json.key("maximum_record_bytes")
            json.integer(Int64(maximumRecordBytes))
            json.key("maximum_age_seconds")
            json.integer(retention.maximumAgeSeconds)
            json.key("maximum_bytes")
            json.integer(retention.maximumBytes)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Reads what ``json`` wrote; the default for what is not there, nil for what is no policy.
    init?(json text: String) {
        var text = text
        let read = text.withUTF8 { bytes -> InferenceLogPolicy? in
            guard let document = try? JSONDocument(parsing: UnsafeRawBufferPointer(bytes)),
                let message = try? MessageReader(document.root)
            else { return nil }
            return try? InferenceLogPolicy(message)
        }
        guard let read else { return nil }
        self = read
    }

    /// Reads a policy from a request; what it does not name is as in `base`.
    ///
    /// - Throws: `INVALID_PARAMETER_VALUE` for a value of the wrong type or out of range.
    init(_ message: MessageReader, base: InferenceLogPolicy = InferenceLogPolicy()) throws {
        self = base
        rate = try message.double("rate") ?? rate
        perSecond = Int(clamping: try message.integer("per_second") ?? Int64(perSecond))
        keepsErrors = try Self.truth(message, "errors") ?? keepsErrors
        slowerThanMilliseconds = try Self.limit(message, "slower_than_ms") ?? slowerThanMilliseconds
        confidenceBelow = try Self.limit(message, "confidence_below") ?? confidenceBelow
        keepsData = try Self.truth(message, "data") ?? keepsData
        maximumRecordBytes = Int(clamping: try message.integer("maximum_record_bytes") ?? Int64(maximumRecordBytes))
        retention.maximumAgeSeconds = try message.integer("maximum_age_seconds") ?? retention.maximumAgeSeconds
        retention.maximumBytes = try message.integer("maximum_bytes") ?? retention.maximumBytes
        try check()
    }

    /// A truth value, also as the text that a form has.
    private static func truth(_ message: MessageReader, _ name: StaticString) throws -> Bool? {
        switch try message.json(name)?.string {
        case "true": true
        case "false": false
        default: try message.bool(name)
        }
    }

    /// A number; an inner nil for `off`.
    private static func limit(_ message: MessageReader, _ name: StaticString) throws -> Double?? {
        guard let value = try message.json(name) else { return nil }
        return value.string == "off" ? .some(nil) : .some(try message.double(name))
    }
}
