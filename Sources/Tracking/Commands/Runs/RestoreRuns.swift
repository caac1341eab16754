import ApusCommand
import ArgumentParser

/// `apus runs restore`.
struct RestoreRuns: APICommand {
    static let configuration = CommandConfiguration.apus(
        "restore",
        "Bring deleted runs back.",
        examples: ["apus runs restore 5fd979bc857743349850c983f2dd3348"]
    )

    @Argument(help: "Ids of the runs.") var runs: [String]
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        for run in runs { try await session.client.call(.post, "runs/restore", ["run_id": .string(run)]) }
        try session.note("\(NumberText.count(runs.count, "run")) active again.")
    }
}
