import ApusCommand
import ArgumentParser

/// `apus data checks import`.
struct ImportChecks: AsyncParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "import",
        "Make a suite of checks of one of Great Expectations.",
        discussion: """
            Suites of Great Expectations 1.x and 0.x are read. The checks are printed as YAML; what has no counterpart \
            is left out of them, and told on standard error, a line for each thing.
            """,
        examples: [
            "apus data checks import gx/expectations/patients.json",
            "apus data checks import patients.json --output checks.yaml --strict",
        ]
    )

    @Argument(help: "The suite's JSON file.") var file: String
    @OptionGroup var output: SuiteOutput

    func run() async throws {
        let (suite, notes) = try CheckFiles.reading(file) {
            try CheckSuite.importing(greatExpectations: $0)
        }
        try output.write(suite.yaml, json: suite.value, notes)
    }
}
