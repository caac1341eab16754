import ArgumentParser

/// How much of a list is shown, and in which form.
package struct ListOptions: ParsableArguments, Sendable {
    @Flag(help: "Print the API's JSON.")
    package var json = false

    @Flag(name: .shortAndLong, help: "Print only identifiers, one a line.")
    package var quiet = false

    @Option(name: .shortAndLong, help: ArgumentHelp("The most entries to show.", valueName: "count"))
    package var limit = 100

    @Flag(help: "Show all entries, however many.")
    package var all = false

    package init() {}

    package mutating func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be at least 1.") }
        guard !(json && quiet) else { throw ValidationError("--json and --quiet exclude each other.") }
    }

    /// The most entries; nil for all.
    package var maximum: Int? { all ? nil : limit }
}
