package import ApusDatabase

extension TrackingStore {
    /// The tables of experiments, runs and logged models.
    ///
    /// Runs and metric keys have whole-number keys inside; the wire's text identifiers stand once, in their own table.
    package static let migrations: [Migration] = [
        Migration(
            "tracking-0001-experiments",
            [
                """
                CREATE TABLE experiments (
                    experiment_id INTEGER PRIMARY KEY AUTOINCREMENT,
                    name TEXT NOT NULL UNIQUE,
                    artifact_location TEXT NOT NULL,
                    lifecycle_stage TEXT NOT NULL CHECK (lifecycle_stage IN ('active', 'deleted')),
                    creation_time INTEGER NOT NULL,
                    last_update_time INTEGER NOT NULL
                ) STRICT
                """,
                """
                CREATE TABLE experiment_tags (
                    experiment_id INTEGER NOT NULL REFERENCES experiments (experiment_id) ON DELETE CASCADE,
                    key TEXT NOT NULL,
                    value TEXT NOT NULL,
                    PRIMARY KEY (experiment_id, key)
                ) STRICT, WITHOUT ROWID
                """,
            ]
        ),
        Migration(
            "tracking-0002-runs",
            [
                """
                CREATE TABLE runs (
                    run_id INTEGER PRIMARY KEY AUTOINCREMENT,
                    run_uuid TEXT NOT NULL UNIQUE,
                    name TEXT NOT NULL,
                    experiment_id INTEGER NOT NULL REFERENCES experiments (experiment_id) ON DELETE CASCADE,
                    user_id TEXT NOT NULL,
                    status TEXT NOT NULL,
                    start_time INTEGER NOT NULL,
                    end_time INTEGER,
                    deleted_time INTEGER,
                    lifecycle_stage TEXT NOT NULL CHECK (lifecycle_stage IN ('active', 'deleted')),
                    artifact_uri TEXT NOT NULL
                ) STRICT
                """,
                """
                CREATE INDEX runs_by_start_time ON runs (experiment_id, lifecycle_stage, start_time DESC, run_uuid)
                """,
                """
                CREATE TABLE params (
                    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
                    key TEXT NOT NULL,
                    value TEXT NOT NULL,
                    PRIMARY KEY (run_id, key)
                ) STRICT, WITHOUT ROWID
                """,
                """
                CREATE TABLE tags (
                    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
                    key TEXT NOT NULL,
                    value TEXT NOT NULL,
                    PRIMARY KEY (run_id, key)
                ) STRICT, WITHOUT ROWID
                """,
            ]
        ),
        Migration(
            "tracking-0003-metrics",
            [
                "CREATE TABLE metric_keys (key_id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE) STRICT",
                // A request adds one row with all of its points, whatever their keys; see MetricCompactor.
                """
                CREATE TABLE metric_tail (
                    tail_id INTEGER PRIMARY KEY AUTOINCREMENT,
                    run_id INTEGER NOT NULL,
                    points BLOB NOT NULL
                ) STRICT
                """,
                "CREATE INDEX metric_tail_by_run ON metric_tail (run_id, tail_id)",
                """
                CREATE TABLE metric_chunks (
                    chunk_id INTEGER PRIMARY KEY AUTOINCREMENT,
                    run_id INTEGER NOT NULL,
                    key_id INTEGER NOT NULL,
                    min_timestamp INTEGER NOT NULL,
                    max_timestamp INTEGER NOT NULL,
                    points BLOB NOT NULL
                ) STRICT
                """,
                """
                CREATE INDEX metric_chunks_by_key
                ON metric_chunks (run_id, key_id, min_timestamp, max_timestamp, chunk_id)
                """,
                """
                CREATE TABLE latest_metrics (
                    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
                    key_id INTEGER NOT NULL,
                    experiment_id INTEGER NOT NULL,
                    value REAL NOT NULL,
                    is_nan INTEGER NOT NULL,
                    timestamp INTEGER NOT NULL,
                    step INTEGER NOT NULL,
                    PRIMARY KEY (run_id, key_id)
                ) STRICT, WITHOUT ROWID
                """,
                // Serves a search that filters or orders by a metric without a look at the other runs.
                """
                CREATE INDEX latest_metrics_by_value ON latest_metrics (experiment_id, key_id, is_nan, value, run_id)
                """,
            ],
            // Packed numbers do not shrink, and trying costs more than storing them.
            postgres: [
                "ALTER TABLE metric_tail ALTER COLUMN points SET STORAGE EXTERNAL",
                "ALTER TABLE metric_chunks ALTER COLUMN points SET STORAGE EXTERNAL",
            ]
        ),
        Migration(
            "tracking-0004-inputs",
            [
                """
                CREATE TABLE datasets (
                    dataset_id INTEGER PRIMARY KEY AUTOINCREMENT,
                    experiment_id INTEGER NOT NULL REFERENCES experiments (experiment_id) ON DELETE CASCADE,
                    name TEXT NOT NULL,
                    digest TEXT NOT NULL,
                    source_type TEXT NOT NULL,
                    source TEXT NOT NULL,
                    schema TEXT,
                    profile TEXT,
                    UNIQUE (experiment_id, name, digest)
                ) STRICT
                """,
                """
                CREATE TABLE inputs (
                    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
                    dataset_id INTEGER NOT NULL REFERENCES datasets (dataset_id) ON DELETE CASCADE,
                    PRIMARY KEY (run_id, dataset_id)
                ) STRICT, WITHOUT ROWID
                """,
                """
                CREATE TABLE input_tags (
                    run_id INTEGER NOT NULL,
                    dataset_id INTEGER NOT NULL,
                    name TEXT NOT NULL,
                    value TEXT NOT NULL,
                    PRIMARY KEY (run_id, dataset_id, name),
                    FOREIGN KEY (run_id, dataset_id) REFERENCES inputs (run_id, dataset_id) ON DELETE CASCADE
                ) STRICT, WITHOUT ROWID
                """,
                """
                CREATE TABLE run_models (
                    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
                    model_id TEXT NOT NULL,
                    direction TEXT NOT NULL CHECK (direction IN ('input', 'output')),
                    step INTEGER NOT NULL,
                    PRIMARY KEY (run_id, direction, model_id)
                ) STRICT, WITHOUT ROWID
                """,
            ]
        ),
        Migration(
            "tracking-0005-logged-models",
            [
                """
                CREATE TABLE logged_models (
                    logged_model_id INTEGER PRIMARY KEY AUTOINCREMENT,
                    model_id TEXT NOT NULL UNIQUE,
                    experiment_id INTEGER NOT NULL REFERENCES experiments (experiment_id) ON DELETE CASCADE,
                    name TEXT NOT NULL,
                    artifact_location TEXT NOT NULL,
                    creation_timestamp_ms INTEGER NOT NULL,
                    last_updated_timestamp_ms INTEGER NOT NULL,
                    status INTEGER NOT NULL,
                    lifecycle_stage TEXT NOT NULL CHECK (lifecycle_stage IN ('active', 'deleted')),
                    model_type TEXT NOT NULL,
                    source_run_id TEXT NOT NULL,
                    status_message TEXT
                ) STRICT
                """,
                """
                CREATE INDEX logged_models_by_creation
                ON logged_models (experiment_id, lifecycle_stage, creation_timestamp_ms DESC, model_id)
                """,
                "CREATE INDEX logged_models_by_source_run ON logged_models (source_run_id)",
                """
                CREATE TABLE logged_model_params (
                    logged_model_id INTEGER NOT NULL REFERENCES logged_models (logged_model_id) ON DELETE CASCADE,
                    param_key TEXT NOT NULL,
                    param_value TEXT NOT NULL,
                    PRIMARY KEY (logged_model_id, param_key)
                ) STRICT, WITHOUT ROWID
                """,
                """
                CREATE TABLE logged_model_tags (
                    logged_model_id INTEGER NOT NULL REFERENCES logged_models (logged_model_id) ON DELETE CASCADE,
                    tag_key TEXT NOT NULL,
                    tag_value TEXT NOT NULL,
                    PRIMARY KEY (logged_model_id, tag_key)
                ) STRICT, WITHOUT ROWID
                """,
                """
                CREATE TABLE logged_model_metrics (
                    logged_model_id INTEGER NOT NULL REFERENCES logged_models (logged_model_id) ON DELETE CASCADE,
                    metric_name TEXT NOT NULL,
                    metric_timestamp_ms INTEGER NOT NULL,
                    metric_step INTEGER NOT NULL,
                    metric_value REAL NOT NULL,
                    is_nan INTEGER NOT NULL,
                    run_id TEXT NOT NULL,
                    dataset_name TEXT NOT NULL,
                    dataset_digest TEXT NOT NULL,
                    PRIMARY KEY (
                        logged_model_id, metric_name, dataset_name, dataset_digest, metric_step, metric_timestamp_ms, run_id
                    )
                ) STRICT, WITHOUT ROWID
                """,
            ]
        ),
        Migration(
            "tracking-0006-metric-levels",
            [
                // Nothing is known of chunks that are there already; MetricCompactor writes them anew.
                "ALTER TABLE metric_chunks ADD COLUMN point_count INTEGER NOT NULL DEFAULT 0",
                "ALTER TABLE metric_chunks ADD COLUMN min_step INTEGER NOT NULL DEFAULT 0",
                "ALTER TABLE metric_chunks ADD COLUMN max_step INTEGER NOT NULL DEFAULT 0",
                "ALTER TABLE metric_chunks ADD COLUMN is_step_ordered INTEGER NOT NULL DEFAULT 0",
                "CREATE INDEX metric_chunks_without_levels ON metric_chunks (chunk_id) WHERE point_count = 0",
                // Holds all that a chart asks before it decides what to read: the points lie before the new columns in
                // a row, and would have to be passed over.
                """
                CREATE INDEX metric_chunks_by_series
                ON metric_chunks (
                    run_id, key_id, min_timestamp, max_timestamp, chunk_id,
                    point_count, min_step, max_step, is_step_ordered
                )
                """,
                "DROP INDEX metric_chunks_by_key",
                """
                CREATE TABLE metric_levels (
                    level_id INTEGER PRIMARY KEY AUTOINCREMENT,
                    chunk_id INTEGER NOT NULL REFERENCES metric_chunks (chunk_id) ON DELETE CASCADE,
                    axis TEXT NOT NULL CHECK (axis IN ('step', 'time')),
                    bucket_size INTEGER NOT NULL,
                    buckets BLOB NOT NULL,
                    UNIQUE (chunk_id, axis, bucket_size)
                ) STRICT
                """,
            ],
            postgres: ["ALTER TABLE metric_levels ALTER COLUMN buckets SET STORAGE EXTERNAL"]
        ),
        Migration(
            "tracking-0007-run-trees",
            [
                // The children of a run; see RunSearchPlanner. A longer text is no identifier, and PostgreSQL could not
                // keep it in an index.
                """
                CREATE INDEX tags_by_parent ON tags (value, run_id)
                WHERE key = 'mlflow.parentRunId' AND LENGTH(value) <= 64
                """
            ]
        ),
        Migration(
            "tracking-0008-dataset-versions",
            [
                // Which version of a dataset of this server a run has read, when its inputs say so.
                """
                CREATE TABLE input_versions (
                    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
                    dataset TEXT NOT NULL,
                    reference TEXT NOT NULL,
                    PRIMARY KEY (run_id, dataset, reference)
                ) STRICT, WITHOUT ROWID
                """,
                "CREATE INDEX input_versions_by_dataset ON input_versions (dataset, reference)",
                "CREATE INDEX datasets_by_digest ON datasets (digest)",
                "CREATE INDEX inputs_by_dataset ON inputs (dataset_id)",
            ]
        ),
    ]
}
