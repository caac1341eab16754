package import ApusDatabase

extension RegistryStore {
    /// The tables of the registry.
    ///
    /// Models have whole-number keys inside, so a rename changes one row and versions keep their place.
    package static let migrations: [Migration] = [
        Migration(
            "registry-0001-models",
            [
                """
                CREATE TABLE registered_models (
                    registered_model_id INTEGER PRIMARY KEY AUTOINCREMENT,
                    name TEXT NOT NULL UNIQUE,
                    creation_time INTEGER NOT NULL,
                    last_updated_time INTEGER NOT NULL,
                    description TEXT NOT NULL
                ) STRICT
                """,
                "CREATE INDEX registered_models_by_update ON registered_models (last_updated_time, name)",
                """
                CREATE TABLE registered_model_tags (
                    registered_model_id INTEGER NOT NULL
                        REFERENCES registered_models (registered_model_id) ON DELETE CASCADE,
                    key TEXT NOT NULL,
                    value TEXT NOT NULL,
                    PRIMARY KEY (registered_model_id, key)
                ) STRICT, WITHOUT ROWID
                """,
            ]
        ),
        Migration(
            "registry-0002-versions",
            [
                // A deleted version keeps its row, emptied, so that its number is not given again.
                """
                CREATE TABLE model_versions (
                    model_version_id INTEGER PRIMARY KEY AUTOINCREMENT,
                    registered_model_id INTEGER NOT NULL
                        REFERENCES registered_models (registered_model_id) ON DELETE CASCADE,
                    version INTEGER NOT NULL CHECK (version > 0),
                    creation_time INTEGER NOT NULL,
                    last_updated_time INTEGER NOT NULL,
                    description TEXT,
                    current_stage TEXT NOT NULL
                        CHECK (current_stage IN ('None', 'Staging', 'Production', 'Archived', 'Deleted_Internal')),
                    source TEXT NOT NULL,
                    storage_location TEXT NOT NULL,
                    run_id TEXT NOT NULL,
                    run_link TEXT NOT NULL,
                    model_id TEXT NOT NULL,
                    UNIQUE (registered_model_id, version)
                ) STRICT
                """,
                """
                CREATE INDEX model_versions_by_stage ON model_versions (registered_model_id, current_stage, version)
                """,
                "CREATE INDEX model_versions_by_update ON model_versions (last_updated_time, model_version_id)",
                "CREATE INDEX model_versions_by_run ON model_versions (run_id)",
                // The model's key stands here too, so that the versions of a prompt are told apart by one look.
                """
                CREATE TABLE model_version_tags (
                    model_version_id INTEGER NOT NULL REFERENCES model_versions (model_version_id) ON DELETE CASCADE,
                    registered_model_id INTEGER NOT NULL,
                    key TEXT NOT NULL,
                    value TEXT NOT NULL,
                    PRIMARY KEY (model_version_id, key)
                ) STRICT, WITHOUT ROWID
                """,
                "CREATE INDEX model_version_tags_by_key ON model_version_tags (key, registered_model_id)",
                """
                CREATE TABLE registered_model_aliases (
                    registered_model_id INTEGER NOT NULL
                        REFERENCES registered_models (registered_model_id) ON DELETE CASCADE,
                    alias TEXT NOT NULL,
                    version INTEGER NOT NULL,
                    PRIMARY KEY (registered_model_id, alias)
                ) STRICT, WITHOUT ROWID
                """,
            ]
        ),
        Migration(
            "registry-0003-webhooks",
            [
                """
                CREATE TABLE webhooks (
                    webhook_key INTEGER PRIMARY KEY AUTOINCREMENT,
                    webhook_id TEXT NOT NULL UNIQUE,
                    name TEXT NOT NULL,
                    description TEXT NOT NULL,
                    url TEXT NOT NULL,
                    status TEXT NOT NULL CHECK (status IN ('ACTIVE', 'DISABLED')),
                    secret BLOB,
                    creation_timestamp INTEGER NOT NULL,
                    last_updated_timestamp INTEGER NOT NULL
                ) STRICT
                """,
                """
                CREATE TABLE webhook_events (
                    webhook_key INTEGER NOT NULL REFERENCES webhooks (webhook_key) ON DELETE CASCADE,
                    entity TEXT NOT NULL,
                    action TEXT NOT NULL,
                    PRIMARY KEY (webhook_key, entity, action)
                ) STRICT, WITHOUT ROWID
                """,
                "CREATE INDEX webhook_events_by_event ON webhook_events (entity, action, webhook_key)",
                // A delivery lives until the receiver has taken it or all tries are spent.
                """
                CREATE TABLE webhook_deliveries (
                    delivery_key INTEGER PRIMARY KEY AUTOINCREMENT,
                    delivery_id TEXT NOT NULL UNIQUE,
                    webhook_key INTEGER NOT NULL REFERENCES webhooks (webhook_key) ON DELETE CASCADE,
                    body TEXT NOT NULL,
                    tries INTEGER NOT NULL,
                    due_time INTEGER NOT NULL
                ) STRICT
                """,
                "CREATE INDEX webhook_deliveries_by_due_time ON webhook_deliveries (due_time, delivery_key)",
                "CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_key)",
                // The last event of the Ledger that was turned into deliveries.
                """
                CREATE TABLE webhook_cursor (
                    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
                    sequence INTEGER NOT NULL
                ) STRICT
                """,
            ]
        ),
    ]
}
