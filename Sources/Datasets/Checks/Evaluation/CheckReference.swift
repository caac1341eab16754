import ApusKernel
package import ApusTable

/// Another table that checks compare with.
package struct CheckReference: Sendable {
    package var columns: [TableColumn]
    package var profile: TableProfile?
    /// What stands for the table behind FROM in a query over `data`, such as `read_parquet('…')`; nil when its rows
    /// cannot be read in the same query.
    package var relation: String?

    package init(columns: [TableColumn], profile: TableProfile?, relation: String?) {
        self.columns = columns
        self.profile = profile
        self.relation = relation
    }

    /// A table of which only the profile is known.
    package init(profile: TableProfile) {
        self.init(
            columns: profile.columns.map { TableColumn(name: $0.name, type: $0.type, sqlType: $0.sqlType) },
            profile: profile,
            relation: nil
        )
    }
}

/// Finds the table that a suite calls so: a name, perhaps with a version; nil when there is none.
package typealias CheckReferences = @Sendable (_ table: String) async throws -> CheckReference?

/// What is known of a table that a check refers to.
struct ReferenceFacts: Sendable {
    var columns: [TableColumn] = []
    var profile: TableProfile?
    var relation: String?
    /// Why nothing is known.
    var fault: String?

    /// - Throws: ``CheckFault`` when there is no such column.
    func column(_ name: String, of table: String) throws(CheckFault) -> ColumnSQL {
        guard let column = columns.first(where: { ExactText($0.name) == ExactText(name) }) else {
            let near = NearestWord.of(name, in: columns.map(\.name))
            throw CheckFault("'\(table)' has no column '\(name)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
        }
        return ColumnSQL(column)
    }
}
