import ApusCommand
import ArgumentParser

/// `apus experiments restore`.
struct RestoreExperiment: APICommand {
    static let configuration = CommandConfiguration.apus(
        "restore",
        "Bring a deleted experiment back with all its runs.",
        examples: ["apus experiments restore churn"]
    )

    @Argument(help: "Name or id.") var experiment: String
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let found = try await ExperimentLookup(client: session.client).find(experiment)
        try await session.client.call(.post, "experiments/restore", ["experiment_id": found["experiment_id"]])
        try session.note("Experiment '\(found["name"].text)' is active again.")
    }
}
