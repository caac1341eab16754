import ApusCommand
import ArgumentParser

/// `apus runs untag`.
struct UntagRun: APICommand {
    static let configuration = CommandConfiguration.apus(
        "untag",
        "Remove tags of a run.",
        examples: ["apus runs untag 5fd979bc857743349850c983f2dd3348 reviewed note"]
    )

    @Argument(help: "Id of the run.") var run: String
    @Argument(help: ArgumentHelp("What to remove.", valueName: "key")) var keys: [String]
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        for key in keys {
            try await session.client.call(.post, "runs/delete-tag", ["run_id": .string(run), "key": .string(key)])
        }
    }
}
