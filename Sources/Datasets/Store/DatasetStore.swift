package import ApusDatabase
import ApusJSON
package import ApusKernel
package import ApusLedger
import ApusVault
import Tracking

/// Datasets, their versions, branches and tags.
package final class DatasetStore: Sendable {
    package let database: Database
    package let ledger: Ledger
    package let clock: any WallClock

    package init(database: Database, ledger: Ledger, clock: any WallClock = SystemWallClock()) {
        self.database = database
        self.ledger = ledger
        self.clock = clock
    }

    // MARK: Datasets

    /// Makes a dataset without versions.
    ///
    /// - Throws: ``DatasetsError``: `datasetExists`, `invalidName`.
    @discardableResult
    package func create(_ name: String, description: String = "") async throws -> Dataset {
        try DatasetName.check(name)
        return try await database.write { [self] transaction in
            try transaction.lock("dataset/\(name)")
            guard try Self.find(name, transaction) == nil else { throw DatasetsError.datasetExists(name) }
            return try insert(name, description, transaction)
        }
    }

    /// The dataset of a name, which is made when there is none.
    package func findOrCreate(_ name: String) async throws -> Dataset {
        if let known = try await find(name) { return known }
        try DatasetName.check(name)
        return try await database.write { [self] transaction in
            try transaction.lock("dataset/\(name)")
            return try Self.find(name, transaction) ?? insert(name, "", transaction)
        }
    }

    /// The dataset of a name, or nil.
    package func find(_ name: String) async throws -> Dataset? {
        try await database.read { try Self.find(name, $0) }
    }

    /// - Throws: ``DatasetsError`` `datasetNotFound`.
    package func dataset(_ name: String) async throws -> Dataset {
        try await database.read { try Self.dataset(name, $0) }
    }

    /// Datasets in the order of their names.
    ///
    /// `text` is what a name must hold, in whatever case, empty for all; `after` is the last name of the page before.
    package func datasets(holding text: String = "", after: String = "", limit: Int) async throws -> [Dataset] {
        var pattern = "%"
        for scalar in text.lowercased().unicodeScalars {
            if scalar == "%" || scalar == "_" || scalar == "!" { pattern.unicodeScalars.append("!") }
            pattern.unicodeScalars.append(scalar)
        }
        let values: [SQLValue] = text.isEmpty ? [] : [.text("\(pattern)%")]
        return try await database.read { transaction in
            try transaction.query(
                """
                \(Self.select) WHERE d.name > ?\(text.isEmpty ? "" : " AND LOWER(d.name) LIKE ? ESCAPE '!'")
                ORDER BY d.name
                LIMIT ?
                """,
                [.text(after)] + values + [.integer(Int64(limit))]
            ) { try Self.dataset($0) }
        }
    }

    /// Removes a dataset with all its versions; bytes that nothing else refers to go with the next sweep.
    package func delete(_ name: String) async throws {
        try await database.write { [self] transaction in
            try transaction.lock("dataset/\(name)")
            let dataset = try Self.dataset(name, transaction)
            try transaction.execute("DELETE FROM versioned_datasets WHERE dataset_id = ?", [.integer(dataset.id)])
            try record("dataset.deleted", dataset, transaction)
        }
    }

    // MARK: Garbage

    /// Keeps blobs for a dataset, page by page, so that others get their turn.
    ///
    /// - Throws: ``DatasetsError`` `datasetNotFound`.
    func keep(_ digests: [Digest], for dataset: Dataset) async throws {
        for start in stride(from: 0, to: digests.count, by: 20_000) {
            let page = Array(digests[start..<min(start + 20_000, digests.count)])
            try await database.write { transaction in
                try Self.hold(dataset, transaction)
                try Self.refer(dataset, to: page, transaction)
            }
        }
    }

    /// Takes note that a dataset refers to blobs.
    static func refer(_ dataset: Dataset, to digests: [Digest], _ transaction: Transaction) throws {
        guard !digests.isEmpty else { return }
        try transaction.insert(
            BulkInsert(
                into: "dataset_blobs",
                [
                    ("dataset_id", .integers(digests.map { _ in dataset.id })),
                    ("digest", .texts(digests.map(\.hex))),
                ],
                conflict: "ON CONFLICT (dataset_id, digest) DO NOTHING"
            )
        )
    }

    // MARK: Inside

    private func insert(_ name: String, _ description: String, _ transaction: Transaction) throws -> Dataset {
        let now = clock.milliseconds
        let id = try transaction.first(
            """
            INSERT INTO versioned_datasets
                (name, description, default_branch, version_count, creation_time, last_updated_time)
            VALUES (?, ?, ?, 0, ?, ?)
            RETURNING dataset_id
            """,
            [.text(name), .text(description), .text(Dataset.firstBranch), .integer(now), .integer(now)]
        ) { $0.integer(0) }
        guard let id else { throw DatabaseError(.other, "no identifier was returned") }
        let dataset = Dataset(
            id: id,
            name: name,
            description: description,
            defaultBranch: Dataset.firstBranch,
            created: now,
            updated: now
        )
        try record("dataset.created", dataset, transaction)
        return dataset
    }

    func record(
        _ action: String,
        _ dataset: Dataset,
        _ transaction: Transaction,
        _ facts: (inout JSONWriter) -> Void = { _ in }
    ) throws {
        var json = JSONWriter()
        json.object { json in
            json.member("name", dataset.name)
            facts(&json)
        }
        try ledger.record(
            LedgerEvent(
                action: action,
                subject: dataset.subject,
                payload: String(decoding: json.bytes, as: UTF8.self)
            ),
            in: transaction
        )
    }

    /// Keeps a dataset from being removed until the transaction ends.
    ///
    /// - Throws: ``DatasetsError`` `datasetNotFound` when it is gone, also if another one has its name by now.
    static func hold(_ dataset: Dataset, _ transaction: Transaction) throws {
        let lock = transaction.dialect == .postgres ? " FOR KEY SHARE" : ""
        let found = try transaction.first(
            "SELECT dataset_id FROM versioned_datasets WHERE dataset_id = ?\(lock)",
            [.integer(dataset.id)]
        ) { $0.integer(0) }
        guard found != nil else { throw DatasetsError.datasetNotFound(dataset.name) }
    }

    static func dataset(_ name: String, _ transaction: Transaction) throws -> Dataset {
        guard let found = try find(name, transaction) else { throw DatasetsError.datasetNotFound(name) }
        return found
    }

    static func find(_ name: String, _ transaction: Transaction) throws -> Dataset? {
        try transaction.first("\(select) WHERE d.name = ?", [.text(name)]) { try dataset($0) }
    }

    private static let select = """
        SELECT d.dataset_id, d.name, d.description, d.default_branch, d.creation_time, d.last_updated_time,
            \(versionColumns)
        FROM versioned_datasets d
        LEFT JOIN dataset_refs r ON r.dataset_id = d.dataset_id AND r.name = d.default_branch
        LEFT JOIN dataset_versions v ON v.dataset_id = d.dataset_id AND v.number = r.number
        """

    private static func dataset(_ row: Row) throws -> Dataset {
        Dataset(
            id: row.integer(0),
            name: row.text(1),
            description: row.text(2),
            defaultBranch: row.text(3),
            created: row.integer(4),
            updated: row.integer(5),
            head: row.isNull(6) ? nil : try version(row, firstColumn: 6)
        )
    }
}
