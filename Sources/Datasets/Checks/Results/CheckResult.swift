package import ApusTable

/// Who knew the answer.
package enum CheckAnswerer: String, Sendable, CaseIterable {
    /// The names and types of the columns.
    case schema
    /// The profile that was there already; no row was read.
    case profile
    case rows
}

/// How a check ended.
package enum CheckOutcome: String, Sendable, CaseIterable {
    case passed
    case failed
    /// It could not be judged as it stands, such as for a column that is not there; it counts as failed.
    case error
    /// There was only a profile, which does not tell.
    case undecided
}

/// What came of a check.
package struct CheckResult: Sendable, Hashable {
    package var check: Check
    package var outcome: CheckOutcome
    /// Of checks that judge rows one by one.
    package var counts: RowCounts?
    /// What the judgement is about, such as a mean; null if there is no such thing.
    package var observed: SuiteValue?
    package var details: [SuiteValue.Member]
    package var answeredBy: CheckAnswerer
    /// How far what was observed may be off, for people; nil when it is exact.
    ///
    /// The judgement holds for all it may be.
    package var bound: String?
    /// What is wrong, for people.
    package var message: String?
    /// The first rows that failed, at most ``CheckRunner/maximumExamples``.
    package var failingRows: [FailingRow]
    /// The values that failed most often, at most as many.
    package var failingValues: [FailingValue]

    package init(_ check: Check, _ outcome: CheckOutcome, message: String? = nil) {
        self.check = check
        self.outcome = outcome
        self.message = message
        details = []
        answeredBy = .rows
        failingRows = []
        failingValues = []
    }

    package var isPassed: Bool { outcome == .passed }

    /// Whether a gate stays shut because of it; what is undecided does not open it.
    package var blocks: Bool { !isPassed && check.severity == .fail }
}

/// A row that failed a check.
package struct FailingRow: Sendable, Hashable {
    /// From 0; nil for rows of a query.
    package var row: Int64?
    /// The suite's key columns.
    package var keys: [Cell]
    /// The values that the check is about.
    package var values: [Cell]

    package init(row: Int64?, keys: [Cell], values: [Cell]) {
        self.row = row
        self.keys = keys
        self.values = values
    }

    /// A column's name and its value.
    package struct Cell: Sendable, Hashable {
        package var name: String
        package var value: TableValue

        package init(_ name: String, _ value: TableValue) {
            self.name = name
            self.value = value
        }
    }
}

/// A value, or several of one row, that failed a check, and how often.
package struct FailingValue: Sendable, Hashable {
    package var values: [TableValue]
    package var count: Int

    package init(values: [TableValue], count: Int) {
        self.values = values
        self.count = count
    }
}
