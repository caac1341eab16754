import ApusDatabase

extension DatasetStore {
    /// The tables of records that were pushed and are in no version yet.
    static let recordMigrations = [
        Migration(
            "datasets-records-0001",
            [
                // Numbers go on when batches are gone.
                """
                CREATE TABLE dataset_record_streams (
                    dataset_id INTEGER PRIMARY KEY REFERENCES versioned_datasets (dataset_id) ON DELETE CASCADE,
                    batch_count INTEGER NOT NULL,
                    record_count INTEGER NOT NULL
                ) STRICT
                """,
                // A batch without a version is pending, and its blob is referred to from here.
                """
                CREATE TABLE dataset_record_batches (
                    dataset_id INTEGER NOT NULL REFERENCES versioned_datasets (dataset_id) ON DELETE CASCADE,
                    number INTEGER NOT NULL CHECK (number > 0),
                    first_record INTEGER NOT NULL CHECK (first_record > 0),
                    record_count INTEGER NOT NULL CHECK (record_count > 0),
                    size_bytes INTEGER NOT NULL CHECK (size_bytes > 0),
                    digest TEXT NOT NULL,
                    batch_key TEXT,
                    creation_time INTEGER NOT NULL,
                    version INTEGER,
                    PRIMARY KEY (dataset_id, number)
                ) STRICT, WITHOUT ROWID
                """,
                "CREATE UNIQUE INDEX dataset_record_batches_by_key ON dataset_record_batches (dataset_id, batch_key)",
                """
                CREATE INDEX dataset_record_batches_pending ON dataset_record_batches (dataset_id, number)
                WHERE version IS NULL
                """,
                """
                CREATE INDEX dataset_record_batches_by_digest ON dataset_record_batches (digest) WHERE version IS NULL
                """,
            ]
        )
    ]
}
