package import ApusDatabase

extension Ledger {
    /// The Ledger's tables.
    ///
    /// An event gets its row in the transaction of its change, and its place in the chain just after: writers never
    /// wait for one another to hash.
    package static let migrations: [Migration] = [
        Migration(
            "ledger-0001-events",
            [
                """
                CREATE TABLE ledger_events (
                    event_id INTEGER PRIMARY KEY AUTOINCREMENT,
                    time_ms INTEGER NOT NULL,
                    actor TEXT NOT NULL,
                    action TEXT NOT NULL,
                    subject TEXT NOT NULL,
                    payload TEXT NOT NULL
                ) STRICT
                """,
                "CREATE INDEX ledger_events_by_subject ON ledger_events (subject, event_id)",
                """
                CREATE TABLE ledger_chain (
                    sequence INTEGER NOT NULL PRIMARY KEY CHECK (sequence > 0),
                    event_id INTEGER NOT NULL UNIQUE REFERENCES ledger_events (event_id),
                    hash BLOB NOT NULL
                ) STRICT
                """,
                "CREATE TABLE ledger_unsealed (event_id INTEGER NOT NULL PRIMARY KEY) STRICT",
            ]
        )
    ]
}
