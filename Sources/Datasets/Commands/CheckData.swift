import ApusCommand
import ApusTable
import ArgumentParser

/// `apus data check`.
struct CheckData: AsyncParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "check",
        "Check files of data by a suite.",
        discussion: """
            The files are one table: CSV, TSV, JSON, JSON lines or Parquet. Exits with 1 when a check of the severity \
            'fail' does not pass; checks of the severity 'warn' are only told. Rows are counted from 0.
            """,
        examples: [
            "apus data check patients.csv --suite checks.yaml",
            "apus data check day-1.parquet day-2.parquet --suite checks.yaml --json",
            "apus data check new.csv --suite checks.yaml --reference v1=old.csv",
        ]
    )

    @Argument(help: "Files that make up one table.") var files: [String]
    @Option(name: .shortAndLong, help: ArgumentHelp("The suite, YAML or JSON.", valueName: "file")) var suite: String
    @Option(help: ArgumentHelp("A table that the suite refers to; may be repeated.", valueName: "name=file"))
    var reference: [KeyValueArgument] = []
    @Flag(help: "Print the result as JSON.") var json = false
    @Flag(help: "Print the result as Great Expectations has it.") var greatExpectations = false

    func run() async throws {
        let suite = try CheckFiles.suite(suite)
        let references = try await profiles()
        let result = try await LocalTable.with(files) { table in
            // Spreads are compared by profiles; all else is asked for directly.
            let needsProfile = suite.checks.contains { check in
                if case .drift = check.expectation { true } else { false }
            }
            let profile = needsProfile ? try await TableProfiler(for: table.source).profile(table) : nil
            return try await CheckRunner(suite) { references[$0] }.run(on: table, profile: profile)
        }
        if greatExpectations {
            try StandardStream.output.write(CheckFiles.text(result.greatExpectations))
        } else if json {
            try StandardStream.output.write(CheckFiles.text(result.value))
        } else {
            try CheckReport(result).write(to: .standardOutput())
        }
        if result.blocks { throw CommandFailure("", exitCode: .failure) }
    }

    private func profiles() async throws -> [String: CheckReference] {
        var found: [String: CheckReference] = [:]
        for pair in reference {
            let profile = try await LocalTable.with([pair.value]) { table in
                try await TableProfiler(for: table.source).profile(table)
            }
            found[pair.key] = CheckReference(profile: profile)
        }
        return found
    }
}
