/// One thing that is expected of a table, and what it means when it is not so.
package struct Check: Sendable, Hashable {
    /// Unique in its suite.
    package var id: String
    package var expectation: Expectation
    /// The part of the rows looked at which must be as expected, 0 to 1; only rows are counted so.
    package var mostly: Double
    package var severity: CheckSeverity
    /// Why the check is there, for people.
    package var note: String?
    /// What other tools keep beside a check, unread.
    package var meta: SuiteValue?

    package init(
        id: String? = nil,
        _ expectation: Expectation,
        mostly: Double = 1,
        severity: CheckSeverity = .fail,
        note: String? = nil,
        meta: SuiteValue? = nil
    ) {
        self.id = id ?? expectation.standardIdentifier
        self.expectation = expectation
        self.mostly = mostly
        self.severity = severity
        self.note = note
        self.meta = meta
    }
}

extension Expectation {
    /// The identifier of a check that was given none, such as `age.between`.
    package var standardIdentifier: String {
        (columns + [word]).joined(separator: ".")
    }
}
