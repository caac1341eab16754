import ApusDatabase
import ApusKernel

extension TrackingStore {
    /// The row of a logged model, as writers need it.
    struct LoggedModelRow {
        let key: Int64
        let id: Identifier<LoggedModel>
        let stage: LifecycleStage
    }

    /// The most points that one answer carries; beyond it only the latest points are loaded.
    static let maximumMeasurements: Int64 = 1_000_000

    /// A model in any stage.
    static func loggedModelRow(_ id: String, _ transaction: Transaction) throws -> LoggedModelRow {
        let row = try transaction.first(
            "SELECT logged_model_id, lifecycle_stage FROM logged_models WHERE model_id = ?",
            [.text(id)]
        ) {
            LoggedModelRow(
                key: $0.integer(0),
                id: Identifier(id),
                stage: LifecycleStage(rawValue: $0.text(1)) ?? .deleted
            )
        }
        guard let row else { throw TrackingError.loggedModelNotFound(id: id) }
        return row
    }

    /// A model with everything that belongs to it.
    static func loggedModel(_ id: String, allowDeleted: Bool, _ transaction: Transaction) throws -> LoggedModel {
        let found = try loggedModels(where: "m.model_id = ?", [.text(id)], transaction).first
        guard let found, allowDeleted || found.info.stage == .active else {
            throw TrackingError.loggedModelNotFound(id: id)
        }
        return found
    }

    /// Models with everything that belongs to them, in the order that `clause` gives.
    ///
    /// `clause` is a condition on the table `m`, and what follows it. Takes four statements, however many models there
    /// are.
    static func loggedModels(
        where clause: String,
        _ values: [SQLValue],
        _ transaction: Transaction
    ) throws -> [LoggedModel] {
        try complete(try loggedModelInfos(where: clause, values, transaction), transaction)
    }

    /// What is known about the models themselves, with their keys.
    ///
    /// `clause` is a condition on the table `m`, and what follows it.
    static func loggedModelInfos(
        where clause: String,
        _ values: [SQLValue],
        _ transaction: Transaction
    ) throws -> [(key: Int64, info: LoggedModel.Info)] {
        try transaction.query(
            """
            SELECT m.logged_model_id, m.model_id, m.experiment_id, m.name, m.artifact_location, m.status,
                m.creation_timestamp_ms, m.last_updated_timestamp_ms, m.model_type, m.source_run_id, m.status_message,
                m.lifecycle_stage
            FROM logged_models m
            WHERE \(clause)
            """,
            values
        ) { row in
            (
                row.integer(0),
                LoggedModel.Info(
                    id: Identifier(row.text(1)),
                    experimentID: row.integer(2),
                    name: row.text(3),
                    artifactURI: row.text(4),
                    status: LoggedModelStatus(rawValue: row.integer(5)) ?? .unspecified,
                    creationTime: row.integer(6),
                    lastUpdateTime: row.integer(7),
                    type: row.text(8),
                    sourceRunID: row.text(9),
                    statusMessage: row.optionalText(10),
                    stage: LifecycleStage(rawValue: row.text(11)) ?? .active
                )
            )
        }
    }

    /// Adds params, tags and metrics.
    static func complete(
        _ found: [(key: Int64, info: LoggedModel.Info)],
        _ transaction: Transaction
    ) throws -> [LoggedModel] {
        var models = found.map { LoggedModel(info: $0.info) }
        let places = Dictionary(found.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
        guard !models.isEmpty else { return models }
        let keys = SQLValue.integers(found.map(\.key))

        func forEach(_ sql: String, _ values: [SQLValue], _ add: (inout LoggedModel, Row) -> Void) throws {
            try transaction.forEach(sql, values) { row in
                guard let place = places[row.integer(0)] else { return }
                add(&models[place], row)
            }
        }

        try forEach(
            """
            SELECT logged_model_id, param_key, param_value FROM logged_model_params
            WHERE logged_model_id IN (?*)
            ORDER BY logged_model_id, param_key
            """,
            [keys]
        ) { $0.params.append(KeyValue(key: $1.text(1), value: $1.text(2))) }
        try forEach(
            """
            SELECT logged_model_id, tag_key, tag_value FROM logged_model_tags
            WHERE logged_model_id IN (?*)
            ORDER BY logged_model_id, tag_key
            """,
            [keys]
        ) { $0.tags.append(KeyValue(key: $1.text(1), value: $1.text(2))) }
        var count: Int64 = 0
        try forEach(measurements(from: "logged_model_metrics"), [keys, .integer(maximumMeasurements + 1)]) {
            count += 1
            $0.metrics.append(measurement($1, of: $0.info.id))
        }
        guard count > maximumMeasurements else { return models }
        // No client can use as many; runs keep the histories.
        for index in models.indices { models[index].metrics = [] }
        try forEach(measurements(from: latestMeasurements, "place = 1 AND"), [keys, .integer(maximumMeasurements)]) {
            $0.metrics.append(measurement($1, of: $0.info.id))
        }
        return models
    }

    private static func measurements(from table: String, _ condition: String = "") -> String {
        """
        SELECT logged_model_id, metric_name, metric_value, is_nan, metric_timestamp_ms, metric_step, run_id,
            dataset_name, dataset_digest
        FROM \(table)
        WHERE \(condition) logged_model_id IN (?*)
        ORDER BY logged_model_id, metric_name, metric_step, metric_timestamp_ms, metric_value
        LIMIT ?
        """
    }

    /// One row for each model, metric and dataset.
    private static let latestMeasurements = """
        (
            SELECT x.*, ROW_NUMBER() OVER (
                PARTITION BY logged_model_id, metric_name, dataset_name, dataset_digest
                ORDER BY metric_step DESC, metric_timestamp_ms DESC, metric_value DESC
            ) AS place
            FROM logged_model_metrics x
        ) latest
        """

    private static func measurement(_ row: Row, of id: Identifier<LoggedModel>) -> LoggedModel.Measurement {
        var point = MetricPoint(
            key: row.text(1),
            stored: row.real(2),
            isNaN: row.integer(3) != 0,
            timestamp: row.integer(4),
            step: row.integer(5)
        )
        let (name, digest) = (row.text(7), row.text(8))
        point.model = MetricPoint.ModelReference(
            modelID: id.rawValue,
            datasetName: name.isEmpty ? nil : name,
            datasetDigest: digest.isEmpty ? nil : digest
        )
        return LoggedModel.Measurement(point: point, runID: row.text(6))
    }
}
