/// Checks that belong together, as a person keeps them in a file.
package struct CheckSuite: Sendable, Hashable {
    package var name: String
    package var description: String?
    /// The columns by which a failing row is named, beside its number.
    package var keys: [String]
    package var checks: [Check]
    /// What other tools keep beside a suite, unread.
    package var meta: SuiteValue?

    /// Identifiers that come twice get a number.
    package init(
        name: String,
        description: String? = nil,
        keys: [String] = [],
        checks: [Check] = [],
        meta: SuiteValue? = nil
    ) {
        self.name = name
        self.description = description
        self.keys = keys
        self.checks = checks
        self.meta = meta
        numberIdentifiers()
    }

    /// The most checks that a suite may have.
    package static let maximumChecks = 20_000
    /// The longest text of a suite, in bytes.
    package static let maximumBytes = 8 << 20

    /// What the references of all checks name, each once.
    package var references: [String] {
        var found: [String] = []
        for name in checks.lazy.compactMap(\.expectation.reference) where !found.contains(name) { found.append(name) }
        return found
    }

    private mutating func numberIdentifiers() {
        var taken = Set<String>()
        var numbers: [String: Int] = [:]
        for place in checks.indices {
            let wanted = checks[place].id
            var id = wanted
            while !taken.insert(id).inserted {
                let number = (numbers[wanted] ?? 1) + 1
                numbers[wanted] = number
                id = "\(wanted)#\(number)"
            }
            checks[place].id = id
        }
    }
}
