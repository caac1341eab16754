/// A table that can be asked in SQL, where it is the relation `data`.
///
/// `data` has one more column than ``columns()`` tells for queries that name it: `__row`, the position of the row from
/// 0, in the order of files and of rows in them.
package protocol TableQuerying: Sendable {
    /// The columns, in order.
    ///
    /// - Throws: ``TableError``.
    func columns() async throws -> [TableColumn]

    /// Runs one SELECT in DuckDB's dialect.
    ///
    /// Names are quoted by ``SQLText/identifier(_:)``, values by ``SQLText/value(_:)``.
    ///
    /// - Returns: At most ``maximumRows`` rows.
    /// - Throws: ``TableError``; `badQuery` for what is no SELECT, and for more rows than that.
    func rows(_ sql: String) async throws -> TableRows
}

extension TableQuerying {
    /// The most rows that a query may return.
    package static var maximumRows: Int { 100_000 }
}
