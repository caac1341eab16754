/// What came of a suite's checks.
package struct SuiteResult: Sendable, Hashable {
    package var suite: String
    /// In the suite's order.
    package var results: [CheckResult]
    /// Rows of the table; nil when no check had to know.
    package var rowCount: Int?

    package init(suite: String, results: [CheckResult], rowCount: Int? = nil) {
        self.suite = suite
        self.results = results
        self.rowCount = rowCount
    }

    /// Whether every check passed.
    package var success: Bool { results.allSatisfy(\.isPassed) }

    /// Whether a gate stays shut.
    package var blocks: Bool { results.contains(where: \.blocks) }

    package func count(_ outcome: CheckOutcome) -> Int { results.count { $0.outcome == outcome } }

    /// 0 to 100; nil of no checks.
    package var successPercent: Double? {
        results.isEmpty ? nil : Double(count(.passed)) / Double(results.count) * 100
    }
}
