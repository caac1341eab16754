import ApusTable

/// What a check needs next to be judged: steps are decided without any input or output.
enum CheckStep: Sendable {
    case done(CheckFinding)
    /// Values that one pass over `data` gives: `SELECT …, … FROM data`, together with those of other checks.
    case measure([String], @Sendable ([TableValue]) throws -> CheckStep)
    /// A query of its own.
    case query(String, @Sendable (TableRows) throws -> CheckStep)
    /// Neither what is known nor the rows can tell; with the reason.
    case undecided(String)
}

/// Why a check cannot be judged as it stands, for people; it then counts as failed.
struct CheckFault: Error, Sendable {
    let message: String

    init(_ message: String) { self.message = message }
}

/// What was found out about a check.
struct CheckFinding: Sendable {
    var success: Bool
    var counts: RowCounts?
    /// What the judgement is about, such as a mean.
    var observed: SuiteValue?
    var details: [SuiteValue.Member] = []
    var answeredBy: CheckAnswerer = .rows
    /// How far what was observed may be off; nil when it is exact.
    var bound: String?
    /// Where the rows that failed are found.
    var failing: FailingRows?
    /// What is wrong, for people; nil when the counts say it all.
    var message: String?
}

/// Rows that failed a check, as a part of a query.
struct FailingRows: Sendable {
    /// A relation with the columns `__row`, the keys and ``columns``.
    var from = "data"
    /// Which of its rows failed; nil for all.
    var predicate: String?
    /// Names of the columns whose values failed.
    var columns: [String]
    /// Whether the relation has `__row`; the query of a user has columns of its own.
    var hasRowNumbers = true
}
