import ApusDatabase

/// A page of a dataset's versions on all branches, the youngest first, and how it hangs together with younger ones.
struct VersionPage: Sendable {
    var versions: [DatasetVersion]
    /// Versions of this page or older ones that younger ones of earlier pages were made from.
    var awaited: [Int64]
    /// The youngest version of this page or older ones that the default branch's head goes back to.
    var main: Int64?
    /// Whether there are older versions.
    var hasMore: Bool
    /// How many versions the dataset has in all.
    var total: Int64
}

extension DatasetStore {
    /// The most lines between versions that a page takes from the page before.
    private static let awaitedLimit: Int64 = 100

    /// The versions of a dataset whose numbers are below `before`, whatever branch they are on; the youngest without it.
    ///
    /// `limit` is at least 1.
    func versions(of dataset: Dataset, before: Int64?, limit: Int) async throws -> VersionPage {
        try await database.read { transaction in
            let end = before ?? .max
            let found = try transaction.query(
                """
                SELECT \(Self.versionColumns) FROM dataset_versions v
                WHERE v.dataset_id = ? AND v.number < ?
                ORDER BY v.number DESC
                LIMIT ?
                """,
                [.integer(dataset.id), .integer(end), .integer(Int64(limit) + 1)]
            ) { try Self.version($0, firstColumn: 0) }
            let total = try transaction.first(
                "SELECT version_count FROM versioned_datasets WHERE dataset_id = ?",
                [.integer(dataset.id)]
            ) { $0.integer(0) }
            var page = VersionPage(
                versions: Array(found.prefix(limit)),
                awaited: [],
                main: dataset.head?.number,
                hasMore: found.count > limit,
                total: total ?? 0
            )
            guard before != nil else { return page }
            page.awaited = try transaction.query(
                """
                SELECT DISTINCT parent FROM dataset_versions
                WHERE dataset_id = ? AND number >= ? AND parent < ?
                ORDER BY parent DESC
                LIMIT ?
                """,
                [.integer(dataset.id), .integer(end), .integer(end), .integer(Self.awaitedLimit)]
            ) { $0.integer(0) }
            page.main = try dataset.head.flatMap { try Self.ancestor(of: $0, before: end, dataset, transaction) }
            return page
        }
    }

    /// The first version below a number on the way back from a version, or nil.
    private static func ancestor(
        of version: DatasetVersion,
        before end: Int64,
        _ dataset: Dataset,
        _ transaction: Transaction
    ) throws -> Int64? {
        let found = try transaction.first(
            """
            WITH RECURSIVE line (number) AS (
                SELECT CAST(? AS BIGINT)
                UNION
                SELECT v.parent FROM line JOIN dataset_versions v ON v.dataset_id = ? AND v.number = line.number
                WHERE line.number >= ? AND v.parent IS NOT NULL
            )
            SELECT MIN(number) FROM line
            """,
            [.integer(version.number), .integer(dataset.id), .integer(end)]
        ) { $0.integer(0) }
        return found.flatMap { $0 < end ? $0 : nil }
    }
}
