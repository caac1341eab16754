import ApusKernel
package import ApusTable

/// Judges a suite's checks: from a profile what it tells, the rest by few queries.
///
/// All values that one pass over the table gives are asked for in one query, whatever check needs them. Rows are read
/// again only for checks that failed, to show some of them.
package struct CheckRunner: Sendable {
    /// How many rows that failed are shown of a check, and how many different values.
    package static let maximumExamples = 20

    package let suite: CheckSuite
    /// Seconds since 1970.
    package let now: Double
    package let references: CheckReferences

    /// - Parameters:
    ///   - suite: The checks.
    ///   - now: The time from which freshness is told, in seconds since 1970.
    ///   - references: Finds the tables that checks refer to.
    package init(
        _ suite: CheckSuite,
        now: Double = Double(SystemWallClock().milliseconds) / 1000,
        references: @escaping CheckReferences = { _ in nil }
    ) {
        self.suite = suite
        self.now = now
        self.references = references
    }

    /// Judges a table by its rows, and by its profile if there is one.
    ///
    /// - Throws: `TableError` when the table cannot be asked at all; what is wrong with one check is in its result.
    package func run(on table: any TableQuerying, profile: TableProfile? = nil) async throws -> SuiteResult {
        let columns = try await table.columns()
        return try await run(columns: columns, profile: profile, rows: TableAnswers(table: table))
    }

    /// Judges a table of which only a profile is left; what that does not tell is ``CheckOutcome/undecided``.
    package func run(on profile: TableProfile) async throws -> SuiteResult {
        try await run(columns: CheckReference(profile: profile).columns, profile: profile, rows: nil)
    }

    private func run(columns: [TableColumn], profile: TableProfile?, rows: TableAnswers?) async throws -> SuiteResult {
        let planner = CheckPlanner(
            columns: columns,
            profile: profile,
            hasRows: rows != nil,
            references: try await referenceFacts(),
            now: now,
            keys: suite.keys
        )
        var steps = suite.checks.map { check -> Result<CheckStep, CheckFault> in
            do throws(CheckFault) { return .success(try planner.plan(check)) } catch { return .failure(error) }
        }
        if let rows { try await rows.finish(&steps) }
        var results = zip(suite.checks, steps).map { Self.result($0, $1) }
        if let rows {
            let failing = zip(results, steps).map { result, step -> FailingRows? in
                guard !result.isPassed, case .success(.done(let finding)) = step else { return nil }
                return finding.failing
            }
            let examples = FailingExamples(table: rows.table, columns: columns, keys: planner.keys)
            try await examples.add(to: &results, failing)
        }
        let counted = results.lazy.compactMap(\.counts?.elements).first
        return SuiteResult(suite: suite.name, results: results, rowCount: profile?.rowCount ?? counted)
    }

    private static func result(_ check: Check, _ step: Result<CheckStep, CheckFault>) -> CheckResult {
        switch step {
        case .failure(let fault): return CheckResult(check, .error, message: fault.message)
        case .success(.undecided(let reason)): return CheckResult(check, .undecided, message: reason)
        case .success(.done(let finding)):
            var result = CheckResult(check, finding.success ? .passed : .failed)
            result.counts = finding.counts
            result.observed = finding.observed
            result.details = finding.details
            result.answeredBy = finding.answeredBy
            result.bound = finding.bound
            if !finding.success { result.message = finding.message ?? CheckMessage.text(check, finding) }
            return result
        case .success(.measure), .success(.query):
            return CheckResult(check, .undecided, message: "the profile does not tell; the rows are needed")
        }
    }

    private func referenceFacts() async throws -> [String: ReferenceFacts] {
        var facts: [String: ReferenceFacts] = [:]
        for name in suite.references {
            do {
                guard let found = try await references(name) else { continue }
                facts[name] = ReferenceFacts(columns: found.columns, profile: found.profile, relation: found.relation)
            } catch let error as TableError where error.kind != .cancelled {
                facts[name] = ReferenceFacts(fault: "'\(name)' cannot be read: \(error.message)")
            }
        }
        return facts
    }
}
