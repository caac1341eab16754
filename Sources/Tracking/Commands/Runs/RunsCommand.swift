import ApusCommand
import ArgumentParser

/// `apus runs`.
struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "runs",
        "List, search, compare and change runs.",
        subcommands: [
            ListRuns.self, SearchRuns.self, ShowRun.self, ShowMetrics.self, CompareRuns.self, TagRun.self,
            UntagRun.self, MoveRuns.self, DeleteRuns.self, RestoreRuns.self,
        ],
        aliases: ["run"]
    )
}
