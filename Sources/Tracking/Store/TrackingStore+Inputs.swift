import ApusDatabase
import ApusKernel

extension TrackingStore {
    /// Records which datasets and logged models an active run read.
    ///
    /// A dataset is identified by name and digest within the experiment; the first tags of an input stay.
    package func logInputs(run id: String, datasets: [DatasetInput], models: [String]) async throws {
        try Limits.runID(id)
        try Self.check(datasets)
        try Self.check(models: models)
        try await database.write(subject: Self.subject(id)) { transaction in
            let run = try Self.activeRun(id, transaction)
            for dataset in datasets { try Self.logInput(dataset, run, transaction) }
            try Self.logModels(models.map { ModelOutput(modelID: $0, step: 0) }, "input", run, transaction)
        }
    }

    /// Records which logged models an active run wrote.
    package func logOutputs(run id: String, models: [ModelOutput]) async throws {
        try Self.check(models: models.map(\.modelID))
        try await database.write(subject: Self.subject(id)) { transaction in
            let run = try Self.activeRun(id, transaction)
            try Self.logModels(models, "output", run, transaction)
        }
    }

    private static func logInput(_ dataset: DatasetInput, _ run: RunRow, _ transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO datasets (experiment_id, name, digest, source_type, source, schema, profile)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """,
            [
                .integer(run.experimentID), .text(dataset.name), .text(dataset.digest), .text(dataset.sourceType),
                .text(dataset.source), .optional(dataset.schema), .optional(dataset.profile),
            ]
        )
        let found = try transaction.first(
            "SELECT dataset_id FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?",
            [.integer(run.experimentID), .text(dataset.name), .text(dataset.digest)]
        ) { $0.integer(0) }
        guard let key = found else { throw DatabaseError(.other, "a dataset vanished") }
        let isNew = try transaction.executeAndCount(
            "INSERT INTO inputs (run_id, dataset_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [.integer(run.key), .integer(key)]
        )
        if let version = VersionedSource(in: dataset.source) {
            try transaction.execute(
                "INSERT INTO input_versions (run_id, dataset, reference) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [.integer(run.key), .text(version.dataset), .text(version.reference)]
            )
        }
        guard isNew > 0 else { return }
        for tag in dataset.tags {
            try transaction.execute(
                """
                INSERT INTO input_tags (run_id, dataset_id, name, value)
                VALUES (?, ?, ?, ?)
                ON CONFLICT (run_id, dataset_id, name) DO UPDATE SET value = excluded.value
                """,
                [.integer(run.key), .integer(key), .text(tag.key), .text(tag.value)]
            )
        }
    }

    private static func logModels(
        _ models: [ModelOutput],
        _ direction: String,
        _ run: RunRow,
        _ transaction: Transaction
    ) throws {
        for model in models {
            try transaction.execute(
                """
                INSERT INTO run_models (run_id, model_id, direction, step)
                VALUES (?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """,
                [.integer(run.key), .text(model.modelID), .text(direction), .integer(model.step)]
            )
        }
    }

    private static func check(models: [String]) throws {
        guard models.count <= Limits.modelsPerCall else {
            throw RequestError.invalid(
                "A request can name at most \(Limits.modelsPerCall) models. Got \(models.count) models."
            )
        }
        for model in models { _ = try Limits.checkLength(model, 256, "model_id") }
    }

    private static func check(_ datasets: [DatasetInput]) throws {
        guard datasets.count <= Limits.datasetsPerCall else {
            throw RequestError.invalid(
                "A log_inputs request can contain at most \(Limits.datasetsPerCall) datasets. Got \(datasets.count)."
            )
        }
        for dataset in datasets {
            _ = try Limits.checkLength(dataset.name, 500, "name")
            _ = try Limits.checkLength(dataset.sourceType, 36, "source_type")
            try Limits.checkCreationTags(dataset.tags)
            _ = try Limits.checkLength(dataset.digest, 36, "digest")
            _ = try Limits.checkLength(dataset.source, 65_535, "source")
            _ = try Limits.checkLength(dataset.schema ?? "", 1_048_575, "schema")
            _ = try Limits.checkLength(dataset.profile ?? "", 16_777_215, "profile")
            for tag in dataset.tags {
                _ = try Limits.checkLength(tag.key, 255, "key")
                _ = try Limits.checkLength(tag.value, 500, "value")
            }
        }
    }
}

extension TrackingStore {
    /// A dataset that some run of an experiment read, and in which role.
    package struct DatasetSummary: Sendable, Equatable {
        package let experimentID: Int64
        package let name: String
        package let digest: String
        /// The input's tag `mlflow.data.context`, such as `train`.
        package let context: String?
    }

    /// The distinct datasets of experiments.
    package func datasetSummaries(experiments ids: [String], limit: Int64) async throws -> [DatasetSummary] {
        let experiments = try ids.map(Experiment.parseID)
        return try await database.read { transaction in
            try transaction.query(
                """
                SELECT DISTINCT d.experiment_id, d.name, d.digest, t.value
                FROM datasets d
                JOIN inputs i ON i.dataset_id = d.dataset_id
                LEFT JOIN input_tags t
                    ON t.run_id = i.run_id AND t.dataset_id = i.dataset_id AND t.name = 'mlflow.data.context'
                WHERE d.experiment_id IN (?*)
                ORDER BY d.experiment_id, d.name, d.digest, t.value
                LIMIT ?
                """,
                [.integers(experiments), .integer(limit)]
            ) { row in
                DatasetSummary(
                    experimentID: row.integer(0),
                    name: row.text(1),
                    digest: row.text(2),
                    context: row.optionalText(3)
                )
            }
        }
    }
}
