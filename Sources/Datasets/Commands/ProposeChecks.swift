import ApusCommand
import ApusTable
import ArgumentParser

/// `apus data propose`.
struct ProposeChecks: AsyncParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "propose",
        "Propose a suite of checks from files of data.",
        discussion: """
            The files are profiled, and checks that they pass are printed as YAML, each with the reason for it as its \
            note: types, missing values, keys, sets of few values, ranges with room. Keep what is meant, and change \
            the rest.
            """,
        examples: [
            "apus data propose patients.csv", "apus data propose patients.csv --name patients --output checks.yaml",
        ]
    )

    @Argument(help: "Files that make up one table.") var files: [String]
    @Option(help: ArgumentHelp("Name of the suite.", valueName: "name")) var name = "proposed"
    @OptionGroup var output: SuiteOutput

    func run() async throws {
        let profile = try await LocalTable.with(files) { table in
            try await TableProfiler(for: table.source).profile(table)
        }
        let suite = CheckProposal.suite(named: name, of: profile)
        try output.write(suite.yaml, json: suite.value, [])
    }
}
