import ApusCommand
import ArgumentParser

/// `apus experiments untag`.
struct UntagExperiment: APICommand {
    static let configuration = CommandConfiguration.apus(
        "untag",
        "Remove tags of an experiment.",
        examples: ["apus experiments untag churn team owner"]
    )

    @Argument(help: "Name or id.") var experiment: String
    @Argument(help: ArgumentHelp("What to remove.", valueName: "key")) var keys: [String]
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let identifier = try await ExperimentLookup(client: session.client).identifier(experiment)
        for key in keys {
            try await session.client.call(
                .post,
                "experiments/delete-experiment-tag",
                ["experiment_id": .string(identifier), "key": .string(key)]
            )
        }
    }
}
