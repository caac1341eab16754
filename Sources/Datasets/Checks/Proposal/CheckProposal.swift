import ApusSketch
import ApusTable

/// A check that the data suggest, and why, for a person to accept, change or throw away.
package struct CheckProposal: Sendable, Hashable {
    package var check: Check
    /// A sentence without its full stop.
    package var reason: String

    /// Checks that a table with this profile passes, and that one like it will most likely pass too.
    ///
    /// Ranges get room on both sides, sets are proposed only of few values that repeat, and keys only when every value
    /// is different.
    package static func of(_ profile: TableProfile) -> [CheckProposal] {
        var proposals = [names(profile), rows(profile)].compactMap(\.self)
        for column in profile.columns { proposals += ColumnProposals(column).all }
        return proposals
    }

    /// The proposals as a suite, each reason as the check's note.
    package static func suite(named name: String, of profile: TableProfile) -> CheckSuite {
        let proposals = of(profile)
        let checks = proposals.map { proposal in
            var check = proposal.check
            check.note = proposal.reason
            return check
        }
        let keys = proposals.compactMap { proposal -> String? in
            guard case .values(let column, .unique) = proposal.check.expectation else { return nil }
            return column
        }
        return CheckSuite(
            name: name,
            description: "Proposed from a profile of \(profile.rowCount) rows; edit it, and keep what is meant.",
            keys: Array(keys.prefix(1)),
            checks: checks
        )
    }

    private static func names(_ profile: TableProfile) -> CheckProposal? {
        guard !profile.columns.isEmpty else { return nil }
        let names = profile.columns.map(\.name)
        return CheckProposal(
            check: Check(.table(.columnSet(names, exact: false))),
            reason: "these \(names.count) columns are there"
        )
    }

    private static func rows(_ profile: TableProfile) -> CheckProposal? {
        guard profile.rowCount > 0 else { return nil }
        let least = max(1, profile.rowCount / 2)
        return CheckProposal(
            check: Check(.table(.rowCount(ValueBounds(.integer(Int64(least))))), severity: .warn),
            reason: "there are \(profile.rowCount) rows now; half of them may be a file that was cut"
        )
    }
}
