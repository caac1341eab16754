import ApusCommand
import ArgumentParser

/// `apus experiments create`.
struct CreateExperiment: APICommand {
    static let configuration = CommandConfiguration.apus(
        "create",
        "Create an experiment and print its id.",
        examples: ["apus experiments create churn", "apus experiments create churn --tag team=growth --tag owner=zoe"]
    )

    @Argument(help: "A name that no experiment has, deleted ones included.") var name: String
    @Option(help: ArgumentHelp("A tag; may be repeated.", valueName: "key=value")) var tag: [KeyValueArgument] = []
    @Option(help: ArgumentHelp("Where artifacts are kept; else the server decides.", valueName: "uri"))
    var artifactLocation: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let tags = tag.map {
            JSON.object([JSON.Member("key", .string($0.key)), JSON.Member("value", .string($0.value))])
        }
        let answer = try await session.client.call(
            .post,
            "experiments/create",
            [
                "name": .string(name), "artifact_location": .optional(artifactLocation),
                "tags": tags.isEmpty ? .null : .array(tags),
            ]
        )
        if output.json { return try session.say(json: answer) }
        try session.say(answer["experiment_id"].text)
    }
}
