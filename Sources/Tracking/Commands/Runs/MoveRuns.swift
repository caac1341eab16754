import ApusCommand
import ArgumentParser

/// `apus runs move`.
struct MoveRuns: APICommand {
    static let configuration = CommandConfiguration.apus(
        "move",
        "Move runs to another experiment.",
        discussion: "Needs an Apus server. Either all of the runs are moved or none.",
        examples: [
            "apus runs move 5fd979bc857743349850c983f2dd3348 --to churn",
            "apus runs move 5fd979bc857743349850c983f2dd3348 cfd34e8c3f2c4cc18384bb46b1247087 --to 3",
        ],
        aliases: ["mv"]
    )

    @Argument(help: "Ids of the runs.") var runs: [String]
    @Option(help: ArgumentHelp("Name or id of the experiment.", valueName: "experiment")) var to: String
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let experiment = try await ExperimentLookup(client: session.client).find(to)
        _ = try await session.client.send(
            APIRequest(
                .post,
                "api/2.0/apus/runs/move",
                body: ["run_ids": .strings(runs), "experiment_id": experiment["experiment_id"]]
            )
        )
        try session.note("\(NumberText.count(runs.count, "run")) moved to experiment '\(experiment["name"].text)'.")
    }
}
