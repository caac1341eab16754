/// When checks would have failed on tables of the past, of which profiles are left.
package struct BackTest: Sendable, Hashable {
    /// The judgement of one check at one time.
    package struct Firing: Sendable, Hashable {
        /// What the profile is called, such as a version.
        package var label: String
        package var outcome: CheckOutcome
        package var observed: SuiteValue?
    }

    /// What became of one check over time.
    package struct History: Sendable, Hashable {
        package var check: Check
        /// In the order of the profiles.
        package var firings: [Firing]

        /// Labels of the profiles for which it would have failed.
        package var failed: [String] { firings.filter { $0.outcome == .failed || $0.outcome == .error }.map(\.label) }
        /// For how many profiles the answer is known.
        package var answered: Int { firings.count { $0.outcome != .undecided } }
    }

    /// In the suite's order.
    package var histories: [History]

    /// Runs a suite over profiles, the oldest first.
    ///
    /// - Parameters:
    ///   - suite: The checks.
    ///   - profiles: Each with what it is called and when it was made, in seconds since 1970: freshness is told from
    ///     there.
    ///   - references: Finds the tables that checks refer to.
    /// - Returns: What would have become of each check.
    /// - Throws: What `references` throws.
    package static func run(
        _ suite: CheckSuite,
        over profiles: [(label: String, time: Double, profile: TableProfile)],
        references: @escaping CheckReferences = { _ in nil }
    ) async throws -> BackTest {
        var histories = suite.checks.map { History(check: $0, firings: []) }
        for (label, time, profile) in profiles {
            let result = try await CheckRunner(suite, now: time, references: references).run(on: profile)
            for (place, result) in result.results.enumerated() {
                histories[place].firings.append(
                    Firing(label: label, outcome: result.outcome, observed: result.observed)
                )
            }
        }
        return BackTest(histories: histories)
    }
}
