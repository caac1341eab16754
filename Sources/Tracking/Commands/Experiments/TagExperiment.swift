import ApusCommand
import ArgumentParser

/// `apus experiments tag`.
struct TagExperiment: APICommand {
    static let configuration = CommandConfiguration.apus(
        "tag",
        "Set tags of an experiment.",
        examples: ["apus experiments tag churn team=growth 'owner=Zoe B'"]
    )

    @Argument(help: "Name or id.") var experiment: String
    @Argument(help: ArgumentHelp("What to set.", valueName: "key=value")) var tags: [KeyValueArgument]
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let identifier = try await ExperimentLookup(client: session.client).identifier(experiment)
        for tag in tags {
            try await session.client.call(
                .post,
                "experiments/set-experiment-tag",
                ["experiment_id": .string(identifier), "key": .string(tag.key), "value": .string(tag.value)]
            )
        }
    }
}
