import ApusCommand
import ArgumentParser

/// `apus experiments delete`.
struct DeleteExperiment: APICommand {
    static let configuration = CommandConfiguration.apus(
        "delete",
        "Delete an experiment with all its runs.",
        discussion: "Deleted experiments can be restored until they are collected for good. Their names stay taken.",
        examples: ["apus experiments delete churn", "apus experiments delete 3 --yes"],
        aliases: ["rm"]
    )

    @Argument(help: "Name or id.") var experiment: String
    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let found = try await ExperimentLookup(client: session.client).find(experiment)
        let (name, identifier) = (found["name"].text, found["experiment_id"].text)
        try session.confirm("Delete experiment '\(name)' (id \(identifier)) with all its runs?", confirmation)
        try await session.client.call(.post, "experiments/delete", ["experiment_id": .string(identifier)])
        try session.note("Experiment '\(name)' is deleted. 'apus experiments restore \(identifier)' brings it back.")
    }
}
