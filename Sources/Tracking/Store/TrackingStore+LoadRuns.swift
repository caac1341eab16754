import ApusDatabase
import ApusKernel

extension TrackingStore {
    /// Runs with everything that belongs to them, in the order that `clause` gives.
    ///
    /// `clause` is a condition on the table `r`, and what follows it. Takes seven statements, however many runs there
    /// are.
    static func runs(where clause: String, _ values: [SQLValue], _ transaction: Transaction) throws -> [Run] {
        try complete(try infos(where: clause, values, transaction), transaction)
    }

    /// What is known about the runs themselves, with their keys.
    ///
    /// `from` is the table `r` and what is joined to it.
    static func infos(
        from: String = "runs r",
        where clause: String,
        _ values: [SQLValue],
        _ transaction: Transaction
    ) throws -> [(key: Int64, info: Run.Info)] {
        try transaction.query(
            """
            SELECT r.run_id, r.run_uuid, r.name, r.experiment_id, r.user_id, r.status, r.start_time, r.end_time,
                r.artifact_uri, r.lifecycle_stage
            FROM \(from)
            WHERE \(clause)
            """,
            values
        ) { row in
            (
                row.integer(0),
                Run.Info(
                    id: Identifier(row.text(1)),
                    name: row.text(2),
                    experimentID: row.integer(3),
                    userID: row.text(4),
                    status: RunStatus(rawValue: row.text(5)) ?? .running,
                    startTime: row.integer(6),
                    endTime: row.optionalInteger(7),
                    artifactURI: row.text(8),
                    stage: LifecycleStage(rawValue: row.text(9)) ?? .active
                )
            )
        }
    }

    /// Adds metrics, params, tags, inputs and outputs.
    static func complete(_ found: [(key: Int64, info: Run.Info)], _ transaction: Transaction) throws -> [Run] {
        var runs = found.map { Run(info: $0.info) }
        let places = Dictionary(found.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
        guard !runs.isEmpty else { return runs }
        let keys: [SQLValue] = [.integers(found.map(\.key))]

        func forEach(_ sql: String, _ add: (inout Run, Row) -> Void) throws {
            try transaction.forEach(sql, keys) { row in
                guard let place = places[row.integer(0)] else { return }
                add(&runs[place], row)
            }
        }
        try forEach(
            """
            SELECT m.run_id, k.key, m.value, m.is_nan, m.timestamp, m.step
            FROM latest_metrics m
            JOIN metric_keys k ON k.key_id = m.key_id
            WHERE m.run_id IN (?*)
            ORDER BY m.run_id, k.key
            """
        ) { run, row in
            run.metrics.append(
                MetricPoint(
                    key: row.text(1),
                    stored: row.real(2),
                    isNaN: row.integer(3) != 0,
                    timestamp: row.integer(4),
                    step: row.integer(5)
                )
            )
        }
        try forEach("SELECT run_id, key, value FROM params WHERE run_id IN (?*) ORDER BY run_id, key") { run, row in
            run.params.append(KeyValue(key: row.text(1), value: row.text(2)))
        }
        try forEach("SELECT run_id, key, value FROM tags WHERE run_id IN (?*) ORDER BY run_id, key") { run, row in
            run.tags.append(KeyValue(key: row.text(1), value: row.text(2)))
        }
        try addDatasets(to: &runs, places, keys, transaction)
        try forEach(
            """
            SELECT run_id, model_id, direction, step
            FROM run_models
            WHERE run_id IN (?*)
            ORDER BY run_id, step, model_id
            """
        ) { run, row in
            if row.text(2) == "input" {
                run.modelInputs.append(row.text(1))
            } else {
                run.modelOutputs.append(ModelOutput(modelID: row.text(1), step: row.integer(3)))
            }
        }
        return runs
    }

    private static func addDatasets(
        to runs: inout [Run],
        _ places: [Int64: Int],
        _ keys: [SQLValue],
        _ transaction: Transaction
    ) throws {
        var order: [(place: Int, dataset: Int64)] = []
        var inputs: [[Int64]: DatasetInput] = [:]
        try transaction.forEach(
            "SELECT run_id, dataset_id FROM inputs WHERE run_id IN (?*) ORDER BY run_id, dataset_id",
            keys
        ) { row in
            guard let place = places[row.integer(0)] else { return }
            order.append((place, row.integer(1)))
        }
        guard !order.isEmpty else { return }
        // A profile may have megabytes, and many runs share one: each is read once, and its text is shared.
        var datasets: [Int64: DatasetInput] = [:]
        try transaction.forEach(
            """
            SELECT dataset_id, name, digest, source_type, source, schema, profile
            FROM datasets
            WHERE dataset_id IN (?*)
            """,
            [.integers(Set(order.map(\.dataset)).sorted())]
        ) { row in
            datasets[row.integer(0)] = DatasetInput(
                name: row.text(1),
                digest: row.text(2),
                sourceType: row.text(3),
                source: row.text(4),
                schema: row.optionalText(5),
                profile: row.optionalText(6),
                tags: []
            )
        }
        let keyOfPlace = Dictionary(places.map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for (place, dataset) in order {
            if let key = keyOfPlace[place] { inputs[[key, dataset]] = datasets[dataset] }
        }
        try transaction.forEach(
            """
            SELECT run_id, dataset_id, name, value
            FROM input_tags
            WHERE run_id IN (?*)
            ORDER BY run_id, dataset_id, name
            """,
            keys
        ) { row in
            let tag = KeyValue(key: row.text(2), value: row.text(3))
            inputs[[row.integer(0), row.integer(1)]]?.tags.append(tag)
        }
        for (place, dataset) in order {
            guard let key = keyOfPlace[place], let input = inputs[[key, dataset]] else { continue }
            runs[place].datasets.append(input)
        }
    }
}
