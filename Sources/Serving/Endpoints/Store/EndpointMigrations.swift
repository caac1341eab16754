package import ApusDatabase

extension EndpointStore {
    /// The tables of endpoints.
    ///
    /// What an endpoint is now stands in its row; settled states are kept as revisions, to go back to.
    package static let migrations: [Migration] = [
        Migration(
            "serving-0001-endpoints",
            [
                """
                CREATE TABLE serving_endpoints (
                    endpoint_id INTEGER PRIMARY KEY AUTOINCREMENT,
                    name TEXT NOT NULL UNIQUE,
                    creation_time INTEGER NOT NULL,
                    last_updated_time INTEGER NOT NULL,
                    revision INTEGER NOT NULL CHECK (revision > 0),
                    is_deleted INTEGER NOT NULL CHECK (is_deleted IN (0, 1)),
                    spec TEXT NOT NULL,
                    rollout TEXT,
                    last_rollout TEXT
                ) STRICT
                """,
                """
                CREATE TABLE serving_deployments (
                    endpoint_id INTEGER NOT NULL REFERENCES serving_endpoints (endpoint_id) ON DELETE CASCADE,
                    number INTEGER NOT NULL CHECK (number > 0),
                    model_name TEXT NOT NULL,
                    model_version TEXT NOT NULL,
                    source TEXT NOT NULL,
                    location TEXT NOT NULL,
                    settings TEXT NOT NULL,
                    folder TEXT,
                    creation_time INTEGER NOT NULL,
                    PRIMARY KEY (endpoint_id, number)
                ) STRICT, WITHOUT ROWID
                """,
                """
                CREATE TABLE serving_revisions (
                    endpoint_id INTEGER NOT NULL REFERENCES serving_endpoints (endpoint_id) ON DELETE CASCADE,
                    revision INTEGER NOT NULL CHECK (revision > 0),
                    spec TEXT NOT NULL,
                    action TEXT NOT NULL,
                    actor TEXT NOT NULL,
                    reason TEXT NOT NULL,
                    time INTEGER NOT NULL,
                    PRIMARY KEY (endpoint_id, revision)
                ) STRICT, WITHOUT ROWID
                """,
                // The last event of the Ledger that was looked at for moves of aliases.
                """
                CREATE TABLE serving_cursor (
                    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
                    sequence INTEGER NOT NULL
                ) STRICT
                """,
            ]
        )
    ]
}
