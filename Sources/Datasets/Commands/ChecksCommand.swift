import ApusCommand
import ArgumentParser

/// `apus data checks`.
struct ChecksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "checks",
        "Read and write suites of checks in other tools' forms.",
        subcommands: [ImportChecks.self, ExportChecks.self]
    )
}
