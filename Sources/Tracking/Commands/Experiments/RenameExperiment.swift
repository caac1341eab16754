import ApusCommand
import ArgumentParser

/// `apus experiments rename`.
struct RenameExperiment: APICommand {
    static let configuration = CommandConfiguration.apus(
        "rename",
        "Give an experiment another name.",
        examples: ["apus experiments rename churn churn-2026"]
    )

    @Argument(help: "Name or id.") var experiment: String
    @Argument(help: "A name that no experiment has.") var newName: String
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let identifier = try await ExperimentLookup(client: session.client).identifier(experiment)
        try await session.client.call(
            .post,
            "experiments/update",
            ["experiment_id": .string(identifier), "new_name": .string(newName)]
        )
        try session.note("Experiment \(identifier) is now named '\(newName)'.")
    }
}
