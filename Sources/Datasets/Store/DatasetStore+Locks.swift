import ApusDatabase
import ApusKernel
import Tracking

/// A file that one owner keeps others from pushing.
package struct FileLock: Sendable, Hashable {
    package let id: String
    /// As the client says it.
    package let path: String
    package let ref: String
    package let owner: String
    package let created: Int64
}

extension DatasetStore {
    /// Locks a path.
    ///
    /// - Returns: The lock, and whether it was made now; else it is the one that is there.
    package func lock(_ path: String, ref: String, by owner: String, in dataset: Dataset) async throws -> (
        lock: FileLock, isNew: Bool
    ) {
        try await database.write { [self] transaction in
            try transaction.lock("dataset/\(dataset.name)")
            try Self.hold(dataset, transaction)
            if let known = try Self.locks(dataset, "AND path = ?", [.text(path)], transaction).first {
                return (known, false)
            }
            let lock = FileLock(
                id: RandomIdentifiers().hex32(),
                path: path,
                ref: ref,
                owner: owner,
                created: clock.milliseconds
            )
            try transaction.execute(
                """
                INSERT INTO dataset_locks (dataset_id, path, lock_id, ref, owner, creation_time)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
                [
                    .integer(dataset.id), .text(path), .text(lock.id), .text(ref), .text(owner),
                    .integer(lock.created),
                ]
            )
            try record("dataset_lock.created", dataset, transaction) { $0.member("path", path) }
            return (lock, true)
        }
    }

    /// Removes a lock.
    ///
    /// `owner` is who may; nil for whoever asks.
    ///
    /// - Throws: `RESOURCE_DOES_NOT_EXIST`; `PERMISSION_DENIED` when it is another owner's.
    package func unlock(_ id: String, by owner: String?, in dataset: Dataset) async throws -> FileLock {
        try await database.write { [self] transaction in
            try transaction.lock("dataset/\(dataset.name)")
            guard let lock = try Self.locks(dataset, "AND lock_id = ?", [.text(id)], transaction).first else {
                throw RequestError(.resourceDoesNotExist, "There is no such lock.")
            }
            guard owner == nil || owner == lock.owner else {
                throw RequestError(.permissionDenied, "The lock belongs to \(lock.owner). Use --force to remove it.")
            }
            try transaction.execute(
                "DELETE FROM dataset_locks WHERE dataset_id = ? AND lock_id = ?",
                [.integer(dataset.id), .text(id)]
            )
            try record("dataset_lock.deleted", dataset, transaction) { $0.member("path", lock.path) }
            return lock
        }
    }

    /// A page of the locks, by path.
    package func locks(
        in dataset: Dataset,
        after: String,
        path: String?,
        id: String?,
        limit: Int
    ) async throws -> [FileLock] {
        var condition = "AND path > ?"
        var values: [SQLValue] = [.text(after)]
        if let path {
            condition += " AND path = ?"
            values.append(.text(path))
        }
        if let id {
            condition += " AND lock_id = ?"
            values.append(.text(id))
        }
        let (text, all) = (condition + " ORDER BY path LIMIT ?", values + [.integer(Int64(limit))])
        return try await database.read { try Self.locks(dataset, text, all, $0) }
    }

    private static func locks(
        _ dataset: Dataset,
        _ condition: String,
        _ values: [SQLValue],
        _ transaction: Transaction
    ) throws -> [FileLock] {
        try transaction.query(
            "SELECT lock_id, path, ref, owner, creation_time FROM dataset_locks WHERE dataset_id = ? \(condition)",
            [.integer(dataset.id)] + values
        ) {
            FileLock(id: $0.text(0), path: $0.text(1), ref: $0.text(2), owner: $0.text(3), created: $0.integer(4))
        }
    }
}
