import ApusCommand
import ArgumentParser

/// `apus runs tag`.
struct TagRun: APICommand {
    static let configuration = CommandConfiguration.apus(
        "tag",
        "Set tags of a run.",
        examples: ["apus runs tag 5fd979bc857743349850c983f2dd3348 reviewed=yes 'note=looks good'"]
    )

    @Argument(help: "Id of the run.") var run: String
    @Argument(help: ArgumentHelp("What to set.", valueName: "key=value")) var tags: [KeyValueArgument]
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        for tag in tags {
            try await session.client.call(
                .post,
                "runs/set-tag",
                ["run_id": .string(run), "key": .string(tag.key), "value": .string(tag.value)]
            )
        }
    }
}
