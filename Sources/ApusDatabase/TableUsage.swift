/// How much of something is stored.
package struct TableUsage: Sendable {
    /// In words, such as `Runs`.
    package let name: String
    package let count: Int64
    /// Whether there are more than were counted.
    package let isMore: Bool
    /// Nil when nobody adds them up.
    package let bytes: Int64?

    package init(name: String, count: Int64, isMore: Bool = false, bytes: Int64? = nil) {
        self.name = name
        self.count = count
        self.isMore = isMore
        self.bytes = bytes
    }
}

extension Transaction {
    /// Counting stops there, so that a look at a large database costs no more than one at a small one.
    package static let countLimit: Int64 = 200_000

    /// The rows of a table of ours, up to ``countLimit``.
    ///
    /// - Parameters:
    ///   - name: What the rows are, in words.
    ///   - table: The table; never a client's text.
    ///   - bytes: A column whose numbers are added up.
    /// - Returns: What was counted.
    /// - Throws: ``DatabaseError``.
    package func usage(
        _ name: String,
        of table: StaticString,
        adding bytes: StaticString? = nil
    ) throws -> TableUsage {
        let found = try first(
            """
            SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT)
            FROM (SELECT \(bytes ?? "0") AS size FROM \(table) LIMIT ?) AS counted
            """,
            [.integer(Self.countLimit + 1)]
        ) { ($0.integer(0), $0.integer(1)) }
        let (count, size) = found ?? (0, 0)
        let isMore = count > Self.countLimit
        return TableUsage(
            name: name,
            count: isMore ? Self.countLimit : count,
            isMore: isMore,
            bytes: bytes == nil ? nil : size
        )
    }
}

extension Database {
    /// The bytes that the database takes on disk, and those of them that are free for what comes next.
    package func size() async throws -> (bytes: Int64, free: Int64) {
        try await read { transaction in
            guard transaction.dialect == .sqlite else {
                let bytes = try transaction.first("SELECT pg_database_size(current_database())") { $0.integer(0) }
                return (bytes ?? 0, 0)
            }
            func pragma(_ name: StaticString) throws -> Int64 {
                try transaction.first("PRAGMA \(name)") { $0.integer(0) } ?? 0
            }
            let page = try pragma("page_size")
            return (try pragma("page_count") * page, try pragma("freelist_count") * page)
        }
    }

    /// The software behind this and its version, such as `SQLite 3.40.1`.
    package func software() async throws -> String {
        try await read { transaction in
            let isSQLite = transaction.dialect == .sqlite
            let text = isSQLite ? "SELECT sqlite_version()" : "SELECT current_setting('server_version')"
            return "\(isSQLite ? "SQLite" : "PostgreSQL") \(try transaction.first(text) { $0.text(0) } ?? "")"
        }
    }
}
