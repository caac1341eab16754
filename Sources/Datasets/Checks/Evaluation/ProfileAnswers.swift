import ApusKernel
import ApusSketch
import ApusTable

/// Answers checks from a profile, as far as that is sure.
///
/// What a sketch tells is taken only when all it may stand for leads to the same judgement: five standard errors of a
/// count of different values, twice the error that 99 of 100 ranks keep to.
struct ProfileAnswers {
    let profile: TableProfile
    let now: Double
    let references: [String: ReferenceFacts]

    /// What is found; nil when the profile does not tell.
    func answer(_ check: Check) -> CheckFinding? {
        guard var finding = finding(check) else { return nil }
        finding.answeredBy = .profile
        return finding
    }

    private func finding(_ check: Check) -> CheckFinding? {
        switch check.expectation {
        case .values(let name, let test):
            guard let column = column(name), let unexpected = ColumnAnswers(column).unexpected(test) else { return nil }
            let isAboutMissing = test == .notNull || test == .null
            let counts = RowCounts(
                elements: column.count,
                considered: isAboutMissing ? nil : column.count - column.missing - column.nanCount,
                unexpected: unexpected
            )
            return CheckFinding(success: counts.succeeds(mostly: check.mostly), counts: counts)
        case .statistic(let name, let statistic, let bounds):
            return column(name).flatMap { ColumnAnswers($0).statistic(statistic, bounds) }
        case .quantiles(let name, let bounds, _): return column(name).flatMap { ColumnAnswers($0).quantiles(bounds) }
        case .distinct(let name, let relation, let values):
            return column(name).flatMap { ColumnAnswers($0).distinct(relation, values) }
        case .fresh(let name, let seconds):
            guard let column = column(name), column.type == .date || column.type == .timestamp else { return nil }
            guard case .text(let text)? = column.maximum, let latest = ISOTimestamp.seconds(text) else { return nil }
            return .fresh(latest: latest, shown: .text(text), now: now, limit: seconds)
        case .drift(let name, let test):
            guard let facts = references[test.reference], let other = facts.profile.flatMap({ column(name, of: $0) }),
                let column = column(name)
            else { return nil }
            return DriftAnswers(reference: other, current: column).finding(test)
        case .table(.rowCount(let bounds)): return .count(profile.rowCount, bounds)
        case .table(.sameRowCount(let table)):
            guard let other = references[table]?.profile?.rowCount else { return nil }
            let observed = SuiteValue.object([
                .init("self", .integer(profile.rowCount)), .init("other", .integer(other)),
            ])
            return CheckFinding(success: profile.rowCount == other, observed: observed)
        case .mostCommon, .type, .exists, .rows, .table: return nil
        }
    }

    private func column(_ name: String, of profile: TableProfile? = nil) -> ColumnProfile? {
        (profile ?? self.profile).columns.first { ExactText($0.name) == ExactText(name) }
    }
}
