package import ApusDatabase

extension DatasetStore {
    /// The tables of datasets.
    ///
    /// Files are no rows: they are in trees of blobs, of which a version has the root's name.
    package static let migrations = tables + recordMigrations

    private static let tables = [
        Migration(
            "datasets-0001-versions",
            [
                """
                CREATE TABLE versioned_datasets (
                    dataset_id INTEGER PRIMARY KEY AUTOINCREMENT,
                    name TEXT NOT NULL UNIQUE,
                    description TEXT NOT NULL,
                    default_branch TEXT NOT NULL,
                    version_count INTEGER NOT NULL,
                    creation_time INTEGER NOT NULL,
                    last_updated_time INTEGER NOT NULL
                ) STRICT
                """,
                """
                CREATE TABLE dataset_versions (
                    dataset_id INTEGER NOT NULL REFERENCES versioned_datasets (dataset_id) ON DELETE CASCADE,
                    number INTEGER NOT NULL CHECK (number > 0),
                    identifier TEXT NOT NULL,
                    root TEXT NOT NULL,
                    parent INTEGER,
                    message TEXT NOT NULL,
                    author TEXT NOT NULL,
                    creation_time INTEGER NOT NULL,
                    file_count INTEGER NOT NULL CHECK (file_count >= 0),
                    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
                    origin_kind TEXT NOT NULL,
                    origin_detail TEXT NOT NULL,
                    PRIMARY KEY (dataset_id, number)
                ) STRICT, WITHOUT ROWID
                """,
                "CREATE UNIQUE INDEX dataset_versions_by_identifier ON dataset_versions (dataset_id, identifier)",
                "CREATE INDEX dataset_versions_by_origin ON dataset_versions (dataset_id, origin_kind, origin_detail)",
                // Branches and tags share their names, so that a reference means one thing.
                """
                CREATE TABLE dataset_refs (
                    dataset_id INTEGER NOT NULL REFERENCES versioned_datasets (dataset_id) ON DELETE CASCADE,
                    name TEXT NOT NULL,
                    kind TEXT NOT NULL CHECK (kind IN ('branch', 'tag')),
                    number INTEGER NOT NULL,
                    last_updated_time INTEGER NOT NULL,
                    PRIMARY KEY (dataset_id, name)
                ) STRICT, WITHOUT ROWID
                """,
                // Everything that the dataset's versions and objects are made of, for whoever removes garbage.
                """
                CREATE TABLE dataset_blobs (
                    dataset_id INTEGER NOT NULL REFERENCES versioned_datasets (dataset_id) ON DELETE CASCADE,
                    digest TEXT NOT NULL,
                    PRIMARY KEY (dataset_id, digest)
                ) STRICT, WITHOUT ROWID
                """,
                "CREATE INDEX dataset_blobs_by_digest ON dataset_blobs (digest)",
            ]
        ),
        Migration(
            "datasets-0002-objects",
            [
                // What DVC calls an object: bytes by their MD5, known to one dataset only, since to know a hash must
                // not be enough to read what others have.
                """
                CREATE TABLE dataset_objects (
                    dataset_id INTEGER NOT NULL REFERENCES versioned_datasets (dataset_id) ON DELETE CASCADE,
                    name TEXT NOT NULL,
                    digest TEXT NOT NULL,
                    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
                    PRIMARY KEY (dataset_id, name)
                ) STRICT, WITHOUT ROWID
                """
            ]
        ),
        Migration(
            "datasets-0003-locks",
            [
                """
                CREATE TABLE dataset_locks (
                    dataset_id INTEGER NOT NULL REFERENCES versioned_datasets (dataset_id) ON DELETE CASCADE,
                    path TEXT NOT NULL,
                    lock_id TEXT NOT NULL,
                    ref TEXT NOT NULL,
                    owner TEXT NOT NULL,
                    creation_time INTEGER NOT NULL,
                    PRIMARY KEY (dataset_id, path)
                ) STRICT, WITHOUT ROWID
                """,
                "CREATE UNIQUE INDEX dataset_locks_by_id ON dataset_locks (dataset_id, lock_id)",
            ]
        ),
        Migration(
            "datasets-0004-uploads",
            [
                // Contents that were sent and belong to no version yet; forgotten when none comes.
                """
                CREATE TABLE dataset_uploads (
                    dataset_id INTEGER NOT NULL REFERENCES versioned_datasets (dataset_id) ON DELETE CASCADE,
                    digest TEXT NOT NULL,
                    upload_time INTEGER NOT NULL,
                    PRIMARY KEY (dataset_id, digest)
                ) STRICT, WITHOUT ROWID
                """,
                "CREATE INDEX dataset_uploads_by_digest ON dataset_uploads (digest)",
                "CREATE INDEX dataset_uploads_by_time ON dataset_uploads (upload_time)",
            ]
        ),
        Migration(
            "datasets-0005-packs",
            [
                """
                CREATE TABLE dataset_packs (
                    pack_id INTEGER PRIMARY KEY AUTOINCREMENT,
                    digest TEXT NOT NULL
                ) STRICT
                """,
                "CREATE INDEX dataset_packs_by_digest ON dataset_packs (digest)",
                """
                CREATE TABLE dataset_packed (
                    digest TEXT NOT NULL PRIMARY KEY,
                    pack_id INTEGER NOT NULL REFERENCES dataset_packs (pack_id) ON DELETE CASCADE,
                    position INTEGER NOT NULL CHECK (position >= 0),
                    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0)
                ) STRICT, WITHOUT ROWID
                """,
                "CREATE INDEX dataset_packed_by_pack ON dataset_packed (pack_id)",
            ]
        ),
        Migration(
            "datasets-0006-uses",
            [
                // What runs have said that they did with versions.
                """
                CREATE TABLE dataset_uses (
                    dataset_id INTEGER NOT NULL REFERENCES versioned_datasets (dataset_id) ON DELETE CASCADE,
                    number INTEGER NOT NULL,
                    run_uuid TEXT NOT NULL,
                    use TEXT NOT NULL CHECK (use IN ('read', 'wrote')),
                    creation_time INTEGER NOT NULL,
                    PRIMARY KEY (dataset_id, number, run_uuid, use)
                ) STRICT, WITHOUT ROWID
                """,
                "CREATE INDEX dataset_uses_by_run ON dataset_uses (run_uuid)",
                "CREATE INDEX dataset_versions_by_parent ON dataset_versions (dataset_id, parent)",
            ]
        ),
    ]
}
