package import ApusDatabase
import ApusJSON
import ApusKernel
import ApusVault
import Tracking

extension DatasetStore {
    /// On which head a commit is made.
    package enum Base: Sendable {
        /// Whatever the branch points to.
        case any
        /// This version, or nothing; a branch that has moved meanwhile is left alone.
        case exactly(Int64?)
    }

    /// Adds a version, and moves a branch to it; a branch that is not there is made.
    ///
    /// Files that are the same as those of the branch's head make no version. `dataset` is the one that the blobs were
    /// found in: another of its name, made after its removal, would not keep them.
    ///
    /// `together` changes what else belongs to the commit, in its transaction.
    ///
    /// - Returns: The version that the branch points to then, and whether it is new.
    /// - Throws: ``DatasetsError``: `datasetNotFound`, `moved`, `invalidName`, `referenceExists` when a tag has the name.
    @discardableResult
    package func commit(
        _ new: NewVersion,
        to dataset: Dataset,
        branch: String? = nil,
        on base: Base = .any,
        together: @escaping @Sendable (Transaction, DatasetVersion) throws -> Void = { _, _ in }
    ) async throws -> (version: DatasetVersion, isNew: Bool) {
        try await keep(new.added, for: dataset)
        let name = dataset.name
        return try await database.write { [self] transaction in
            try transaction.lock("dataset/\(name)")
            try Self.hold(dataset, transaction)
            let dataset = try Self.dataset(name, transaction)
            let branch = branch ?? dataset.defaultBranch
            try DatasetName.check(reference: branch)
            let known = try Self.ref(branch, dataset, transaction)
            if let known, known.kind != .branch { throw DatasetsError.referenceExists(dataset: name, name: branch) }
            let head = try known.map { try Self.version($0.version, dataset, transaction) }
            if case .exactly(let expected) = base, expected != head?.number {
                throw DatasetsError.moved(dataset: name, branch: branch, head: head?.number)
            }
            if let head, head.root == new.root {
                try together(transaction, head)
                return (head, false)
            }
            let version = try add(new, to: dataset, parent: head, transaction)
            try Self.point(branch, .branch, to: version.number, dataset, clock.milliseconds, transaction)
            try Self.forgetUploads(of: dataset, transaction)
            try together(transaction, version)
            try record("dataset_version.created", dataset, transaction) { json in
                json.member("version", version.number)
                json.member("identifier", version.identifier.hex)
                json.member("branch", branch)
                json.member("files", version.fileCount)
                json.member("bytes", version.sizeBytes)
                json.member("origin", version.origin.kind)
            }
            return (version, true)
        }
    }

    private func add(
        _ new: NewVersion,
        to dataset: Dataset,
        parent: DatasetVersion?,
        _ transaction: Transaction
    ) throws -> DatasetVersion {
        let now = clock.milliseconds
        let number = try transaction.first(
            """
            UPDATE versioned_datasets SET version_count = version_count + 1, last_updated_time = ? WHERE dataset_id = ?
            RETURNING version_count
            """,
            [.integer(now), .integer(dataset.id)]
        ) { $0.integer(0) }
        guard let number else { throw DatabaseError(.other, "no number was returned") }
        let version = DatasetVersion(
            number: number,
            identifier: DatasetVersion.identifier(
                dataset: dataset.name,
                number: number,
                root: new.root,
                parent: parent?.identifier,
                message: new.message,
                author: new.author,
                created: now,
                origin: new.origin
            ),
            root: new.root,
            parent: parent?.number,
            message: new.message,
            author: new.author,
            created: now,
            fileCount: new.fileCount,
            sizeBytes: new.sizeBytes,
            origin: new.origin
        )
        try transaction.execute(
            """
            INSERT INTO dataset_versions
                (dataset_id, number, identifier, root, parent, message, author, creation_time, file_count, size_bytes,
                origin_kind, origin_detail)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(dataset.id), .integer(number), .text(version.identifier.hex), .text(version.root.hex),
                version.parent.map { .integer($0) } ?? .null, .text(version.message), .text(version.author),
                .integer(now), .integer(version.fileCount), .integer(version.sizeBytes), .text(version.origin.kind),
                .text(version.origin.detail),
            ]
        )
        return version
    }

    /// The version that a reference names; the head of the default branch without one.
    ///
    /// - Throws: ``DatasetsError``: `datasetNotFound`, `referenceNotFound`, `invalidName`.
    package func version(_ reference: String?, of name: String) async throws -> DatasetVersion {
        let parsed = try reference.map { try DatasetReference($0) }
        return try await database.read { transaction in
            let dataset = try Self.dataset(name, transaction)
            let text = reference ?? dataset.defaultBranch
            let found =
                switch parsed ?? .name(dataset.defaultBranch) {
                case .name(let ref):
                    try Self.ref(ref, dataset, transaction).flatMap {
                        try Self.find($0.version, dataset, transaction)
                    }
                case .number(let number): try Self.find(number, dataset, transaction)
                case .identifier(let digits): try Self.find(identifier: digits, dataset, transaction)
                }
            guard let found else { throw DatasetsError.referenceNotFound(dataset: name, reference: text) }
            return found
        }
    }

    /// The versions that led to one, the youngest first.
    package func history(of name: String, from version: DatasetVersion, limit: Int) async throws -> [DatasetVersion] {
        try await database.read { transaction in
            let dataset = try Self.dataset(name, transaction)
            return try transaction.query(
                """
                WITH RECURSIVE line (number) AS (
                    SELECT CAST(? AS BIGINT)
                    UNION
                    SELECT v.parent FROM dataset_versions v JOIN line ON v.number = line.number
                    WHERE v.dataset_id = ? AND v.parent IS NOT NULL
                )
                SELECT \(Self.versionColumns) FROM dataset_versions v
                WHERE v.dataset_id = ? AND v.number IN (SELECT number FROM line)
                ORDER BY v.number DESC
                LIMIT ?
                """,
                [.integer(version.number), .integer(dataset.id), .integer(dataset.id), .integer(Int64(limit))]
            ) { try Self.version($0, firstColumn: 0) }
        }
    }

    // MARK: Inside

    static let versionColumns = """
        v.number, v.identifier, v.root, v.parent, v.message, v.author, v.creation_time, v.file_count, v.size_bytes,
            v.origin_kind, v.origin_detail
        """

    static func version(_ row: Row, firstColumn: Int32) throws -> DatasetVersion {
        guard let identifier = Digest(hex: row.text(firstColumn + 1)), let root = Digest(hex: row.text(firstColumn + 2))
        else { throw DatabaseError(.damaged, "version \(row.integer(firstColumn)) of a dataset has no root") }
        return DatasetVersion(
            number: row.integer(firstColumn),
            identifier: identifier,
            root: root,
            parent: row.isNull(firstColumn + 3) ? nil : row.integer(firstColumn + 3),
            message: row.text(firstColumn + 4),
            author: row.text(firstColumn + 5),
            created: row.integer(firstColumn + 6),
            fileCount: row.integer(firstColumn + 7),
            sizeBytes: row.integer(firstColumn + 8),
            origin: VersionOrigin(row.text(firstColumn + 9), row.text(firstColumn + 10))
        )
    }

    static func version(_ number: Int64, _ dataset: Dataset, _ transaction: Transaction) throws -> DatasetVersion {
        guard let found = try find(number, dataset, transaction) else {
            throw DatasetsError.referenceNotFound(dataset: dataset.name, reference: "v\(number)")
        }
        return found
    }

    private static func find(
        _ number: Int64,
        _ dataset: Dataset,
        _ transaction: Transaction
    ) throws -> DatasetVersion? {
        try transaction.first(
            "SELECT \(versionColumns) FROM dataset_versions v WHERE v.dataset_id = ? AND v.number = ?",
            [.integer(dataset.id), .integer(number)]
        ) { try version($0, firstColumn: 0) }
    }

    /// The version whose identifier begins with some digits; nil when there are several.
    private static func find(
        identifier digits: String,
        _ dataset: Dataset,
        _ transaction: Transaction
    ) throws -> DatasetVersion? {
        let found = try transaction.query(
            """
            SELECT \(versionColumns) FROM dataset_versions v
            WHERE v.dataset_id = ? AND v.identifier >= ? AND v.identifier < ?
            LIMIT 2
            """,
            // `g` is the character after the last digit.
            [.integer(dataset.id), .text(digits), .text("\(digits)g")]
        ) { try version($0, firstColumn: 0) }
        return found.count == 1 ? found.first : nil
    }
}
