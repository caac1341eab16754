import ApusCommand
import ArgumentParser

/// `apus data checks export`.
struct ExportChecks: AsyncParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "export",
        "Make a suite of Great Expectations of checks.",
        discussion: """
            The suite is printed as the JSON that Great Expectations 1.x stores. Checks that it has nothing for are left \
            out, and told on standard error.
            """,
        examples: ["apus data checks export checks.yaml", "apus data checks export checks.yaml --output patients.json"]
    )

    @Argument(help: "The suite's YAML or JSON file.") var file: String
    @OptionGroup var output: SuiteOutput

    func run() async throws {
        let (suite, notes) = try CheckFiles.suite(file).exportingGreatExpectations()
        try output.write(CheckFiles.text(suite), json: suite, notes)
    }
}
