import ApusDatabase
import ApusKernel
package import ApusVault

extension DatasetStore {
    /// An object that a client keeps under a name of its own, such as DVC's MD5.
    package struct StoredObject: Sendable, Hashable {
        package let digest: Digest
        package let sizeBytes: Int64
    }

    /// Lets a dataset have a blob under a name.
    ///
    /// - Throws: ``DatasetsError`` `datasetNotFound` when it was removed meanwhile.
    package func addObject(_ object: String, _ blob: StoredBlob, to dataset: Dataset) async throws {
        try await database.write { transaction in
            try Self.hold(dataset, transaction)
            try transaction.execute(
                """
                INSERT INTO dataset_objects (dataset_id, name, digest, size_bytes) VALUES (?, ?, ?, ?)
                ON CONFLICT (dataset_id, name) DO UPDATE SET digest = excluded.digest, size_bytes = excluded.size_bytes
                """,
                [.integer(dataset.id), .text(object), .text(blob.digest.hex), .integer(blob.sizeBytes)]
            )
            try Self.refer(dataset, to: [blob.digest], transaction)
        }
    }

    /// The object of a name; nil when the dataset has none, or there is no such dataset.
    package func object(_ object: String, of dataset: String) async throws -> StoredObject? {
        try await database.read { transaction in
            try transaction.first(
                """
                SELECT o.digest, o.size_bytes FROM dataset_objects o JOIN versioned_datasets d ON d.dataset_id = o.dataset_id
                WHERE d.name = ? AND o.name = ?
                """,
                [.text(dataset), .text(object)]
            ) { try Self.object($0, firstColumn: 0) }
        }
    }

    /// Those of the objects that a dataset has.
    package func objects(_ names: [String], of dataset: Dataset) async throws -> [String: StoredObject] {
        var found: [String: StoredObject] = [:]
        found.reserveCapacity(names.count)
        // Page by page, so that others get their turn.
        for start in stride(from: 0, to: names.count, by: 5000) {
            let page = Array(names[start..<min(start + 5000, names.count)])
            let rows = try await database.read { transaction in
                try transaction.query(
                    """
                    SELECT name, digest, size_bytes FROM dataset_objects WHERE dataset_id = ? AND name IN (?*)
                    """,
                    [.integer(dataset.id), .texts(page)]
                ) { ($0.text(0), try Self.object($0, firstColumn: 1)) }
            }
            for (name, object) in rows { found[name] = object }
        }
        return found
    }

    private static func object(_ row: Row, firstColumn: Int32) throws -> StoredObject {
        guard let digest = Digest(hex: row.text(firstColumn)) else {
            throw DatabaseError(.damaged, "an object of a dataset has no digest")
        }
        return StoredObject(digest: digest, sizeBytes: row.integer(firstColumn + 1))
    }
}
