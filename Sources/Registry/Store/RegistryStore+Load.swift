import ApusDatabase
import Tracking

extension RegistryStore {
    /// Models with tags, aliases and latest versions, in the order that `clause` gives.
    ///
    /// Takes five statements however many models there are. `clause` is a condition on the table `m` and what
    /// follows it.
    static func models(
        where clause: String,
        _ values: [SQLValue],
        _ transaction: Transaction
    ) throws -> [RegisteredModel] {
        var found = try transaction.query(
            """
            SELECT m.registered_model_id, m.name, m.creation_time, m.last_updated_time, m.description
            FROM registered_models m
            WHERE \(clause)
            """,
            values
        ) { row in
            RegisteredModel(
                id: row.integer(0),
                name: row.text(1),
                creationTime: row.integer(2),
                lastUpdatedTime: row.integer(3),
                description: row.text(4)
            )
        }
        guard !found.isEmpty else { return [] }
        let ids = SQLValue.integers(found.map(\.id))
        let tags = try modelTags(ids, transaction)
        let aliases = try aliases(ids, transaction)
        let latest = Dictionary(grouping: try latestVersions(ids, transaction), by: \.modelID)
        for index in found.indices {
            found[index].tags = tags[found[index].id] ?? []
            found[index].aliases = aliases[found[index].id] ?? []
            found[index].latestVersions = latest[found[index].id] ?? []
        }
        return found
    }

    /// One model with everything that belongs to it.
    static func model(_ id: Int64, name: String, _ transaction: Transaction) throws -> RegisteredModel {
        let found = try models(where: "m.registered_model_id = ?", [.integer(id)], transaction).first
        guard let found else { throw RegistryError.modelNotFound(name: name) }
        return found
    }

    /// Live versions with their tags, in the order that `clause` gives: a condition on the tables `v` and `m`, and
    /// what follows it.
    static func versions(
        where clause: String,
        _ values: [SQLValue],
        _ transaction: Transaction
    ) throws -> [ModelVersion] {
        try versions(
            from: "model_versions v JOIN registered_models m ON m.registered_model_id = v.registered_model_id",
            where: "v.current_stage <> 'Deleted_Internal' AND \(clause)",
            values,
            transaction
        )
    }

    /// One live version with its tags and aliases.
    ///
    /// - Throws: `RegistryError.versionNotFound`, also when there is no such model.
    static func version(_ name: String, _ version: Int64, _ transaction: Transaction) throws -> ModelVersion {
        let found = try versions(
            where: "m.name = ? AND v.version = ?",
            [.text(name), .integer(version)],
            transaction
        ).first
        guard var found else { throw RegistryError.versionNotFound(name: name, version: version) }
        found.aliases = try transaction.query(
            "SELECT alias FROM registered_model_aliases WHERE registered_model_id = ? AND version = ? ORDER BY alias",
            [.integer(found.modelID), .integer(version)]
        ) { $0.text(0) }
        return found
    }

    /// For each model and stage the live version with the highest number, by ascending number.
    ///
    /// Looks each stage up in an index, so a model with many versions costs no more than one with few.
    private static func latestVersions(_ ids: SQLValue, _ transaction: Transaction) throws -> [ModelVersion] {
        let stages = ModelStage.allCases.map { "SELECT '\($0.rawValue)' AS stage" }.joined(separator: " UNION ALL ")
        return try versions(
            from: """
                registered_models m
                CROSS JOIN (\(stages)) s
                JOIN model_versions v ON v.registered_model_id = m.registered_model_id AND v.version = (
                    SELECT MAX(x.version) FROM model_versions x
                    WHERE x.registered_model_id = m.registered_model_id AND x.current_stage = s.stage
                )
                """,
            where: "m.registered_model_id IN (?*) ORDER BY v.registered_model_id, v.version",
            [ids],
            transaction
        )
    }

    private static func versions(
        from tables: String,
        where clause: String,
        _ values: [SQLValue],
        _ transaction: Transaction
    ) throws -> [ModelVersion] {
        var found = try transaction.query(
            """
            SELECT v.model_version_id, v.registered_model_id, m.name, v.version, v.creation_time, v.last_updated_time,
                v.description, v.current_stage, v.source, v.storage_location, v.run_id, v.run_link, v.model_id
            FROM \(tables)
            WHERE \(clause)
            """,
            values
        ) { row in
            ModelVersion(
                id: row.integer(0),
                modelID: row.integer(1),
                name: row.text(2),
                version: row.integer(3),
                creationTime: row.integer(4),
                lastUpdatedTime: row.integer(5),
                description: row.optionalText(6),
                stage: ModelStage(rawValue: row.text(7)) ?? .none,
                source: row.text(8),
                storageLocation: row.text(9),
                runID: row.text(10),
                runLink: row.text(11),
                loggedModelID: row.text(12)
            )
        }
        guard !found.isEmpty else { return [] }
        var tags: [Int64: [KeyValue]] = [:]
        try transaction.forEach(
            """
            SELECT model_version_id, key, value
            FROM model_version_tags
            WHERE model_version_id IN (?*)
            ORDER BY model_version_id, key
            """,
            [.integers(found.map(\.id))]
        ) { tags[$0.integer(0), default: []].append(KeyValue(key: $0.text(1), value: $0.text(2))) }
        for index in found.indices { found[index].tags = tags[found[index].id] ?? [] }
        return found
    }

    private static func modelTags(_ ids: SQLValue, _ transaction: Transaction) throws -> [Int64: [KeyValue]] {
        var tags: [Int64: [KeyValue]] = [:]
        try transaction.forEach(
            """
            SELECT registered_model_id, key, value
            FROM registered_model_tags
            WHERE registered_model_id IN (?*)
            ORDER BY registered_model_id, key
            """,
            [ids]
        ) { tags[$0.integer(0), default: []].append(KeyValue(key: $0.text(1), value: $0.text(2))) }
        return tags
    }

    static func aliases(_ ids: SQLValue, _ transaction: Transaction) throws -> [Int64: [ModelAlias]] {
        var aliases: [Int64: [ModelAlias]] = [:]
        try transaction.forEach(
            """
            SELECT registered_model_id, alias, version
            FROM registered_model_aliases
            WHERE registered_model_id IN (?*)
            ORDER BY registered_model_id, alias
            """,
            [ids]
        ) { aliases[$0.integer(0), default: []].append(ModelAlias(alias: $0.text(1), version: $0.integer(2))) }
        return aliases
    }
}
