import ApusCommand
import ApusJSON
import ApusTable
import ArgumentParser

/// `apus data profile`.
struct ProfileData: AsyncParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "profile",
        "Tell what is in the columns of files of data.",
        discussion: """
            The files are one table: CSV, TSV, JSON, JSON lines or Parquet, also packed by gzip or zstd. They are read \
            once, in constant memory. Counts, extremes and means are exact; distinct values are told within 1 %, \
            quantiles within 1.3 % of the rank.
            """,
        examples: ["apus data profile patients.csv", "apus data profile day-1.parquet day-2.parquet --json"]
    )

    @Argument(help: "Files that make up one table.") var files: [String]
    @Option(help: ArgumentHelp("The most frequent values to tell, with --json.", valueName: "count")) var top = 10
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (0...128).contains(top) else { throw ValidationError("--top is from 0 to 128.") }
    }

    func run() async throws {
        let profile = try await LocalTable.with(files) { table in
            try await TableProfiler(for: table.source).profile(table)
        }
        if json {
            var writer = JSONWriter()
            profile.write(to: &writer, topCount: top, hasCorrelations: true)
            return try StandardStream.output.write(try JSON(parsing: writer.bytes).prettyText + "\n")
        }
        try ProfileReport(profile).write(to: .standardOutput())
    }
}
