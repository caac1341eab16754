import ApusDatabase
import ApusJSON
import ApusKernel
import Tracking

extension DatasetStore {
    /// The branches and tags of a dataset, by name.
    package func refs(of name: String) async throws -> [DatasetRef] {
        try await database.read { transaction in
            let dataset = try Self.dataset(name, transaction)
            return try transaction.query(
                """
                SELECT kind, name, number, last_updated_time FROM dataset_refs WHERE dataset_id = ? ORDER BY name
                """,
                [.integer(dataset.id)]
            ) { try Self.ref($0) }
        }
    }

    /// The version that a branch points to, or nil when there is none of the name.
    ///
    /// - Throws: ``DatasetsError`` `referenceExists` when a tag has the name.
    package func head(of branch: String, in dataset: Dataset) async throws -> DatasetVersion? {
        try await database.read { transaction in
            guard let known = try Self.ref(branch, dataset, transaction) else { return nil }
            guard known.kind == .branch else {
                throw DatasetsError.referenceExists(dataset: dataset.name, name: branch)
            }
            return try Self.version(known.version, dataset, transaction)
        }
    }

    /// Makes a branch or tag that points to a version.
    ///
    /// - Throws: ``DatasetsError``: `referenceExists` for a name that is taken, `datasetNotFound`, `invalidName`,
    ///   `referenceNotFound` for the version.
    package func createRef(_ ref: String, _ kind: DatasetRef.Kind, at version: Int64, of name: String) async throws {
        try DatasetName.check(reference: ref)
        try await database.write { [self] transaction in
            try transaction.lock("dataset/\(name)")
            let dataset = try Self.dataset(name, transaction)
            guard try Self.ref(ref, dataset, transaction) == nil else {
                throw DatasetsError.referenceExists(dataset: name, name: ref)
            }
            _ = try Self.version(version, dataset, transaction)
            try Self.point(ref, kind, to: version, dataset, clock.milliseconds, transaction)
            try record("dataset_\(kind.rawValue).created", dataset, transaction) { json in
                json.member("ref", ref)
                json.member("version", version)
            }
        }
    }

    /// Removes a branch or tag; the versions stay.
    ///
    /// - Throws: ``DatasetsError``: `inUse` for the default branch, `referenceNotFound`, `datasetNotFound`.
    package func deleteRef(_ ref: String, of name: String) async throws {
        try await database.write { [self] transaction in
            try transaction.lock("dataset/\(name)")
            let dataset = try Self.dataset(name, transaction)
            guard let known = try Self.ref(ref, dataset, transaction) else {
                throw DatasetsError.referenceNotFound(dataset: name, reference: ref)
            }
            guard known.kind == .tag || known.name != dataset.defaultBranch else {
                throw DatasetsError.inUse(ref, why: "it is the dataset's default branch")
            }
            try transaction.execute(
                "DELETE FROM dataset_refs WHERE dataset_id = ? AND name = ?",
                [.integer(dataset.id), .text(ref)]
            )
            try record("dataset_\(known.kind.rawValue).deleted", dataset, transaction) { json in
                json.member("ref", ref)
                json.member("version", known.version)
            }
        }
    }

    static func ref(_ name: String, _ dataset: Dataset, _ transaction: Transaction) throws -> DatasetRef? {
        try transaction.first(
            """
            SELECT kind, name, number, last_updated_time FROM dataset_refs WHERE dataset_id = ? AND name = ?
            """,
            [.integer(dataset.id), .text(name)]
        ) { try ref($0) }
    }

    static func point(
        _ name: String,
        _ kind: DatasetRef.Kind,
        to number: Int64,
        _ dataset: Dataset,
        _ now: Int64,
        _ transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO dataset_refs (dataset_id, name, kind, number, last_updated_time) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (dataset_id, name) DO UPDATE
            SET number = excluded.number, last_updated_time = excluded.last_updated_time
            """,
            [.integer(dataset.id), .text(name), .text(kind.rawValue), .integer(number), .integer(now)]
        )
    }

    private static func ref(_ row: Row) throws -> DatasetRef {
        guard let kind = DatasetRef.Kind(rawValue: row.text(0)) else {
            throw DatabaseError(.damaged, "'\(row.text(1))' is neither a branch nor a tag")
        }
        return DatasetRef(kind: kind, name: row.text(1), version: row.integer(2), updated: row.integer(3))
    }
}
