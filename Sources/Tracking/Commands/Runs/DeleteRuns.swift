import ApusCommand
import ArgumentParser

/// `apus runs delete`.
struct DeleteRuns: APICommand {
    static let configuration = CommandConfiguration.apus(
        "delete",
        "Delete runs.",
        discussion: "Deleted runs can be restored until they are collected for good.",
        examples: [
            "apus runs delete 5fd979bc857743349850c983f2dd3348",
            "apus runs delete --yes 5fd979bc857743349850c983f2dd3348 cfd34e8c3f2c4cc18384bb46b1247087",
        ],
        aliases: ["rm"]
    )

    @Argument(help: "Ids of the runs.") var runs: [String]
    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let what = runs.count == 1 ? "run \(runs.joined())" : "\(runs.count) runs"
        try session.confirm("Delete \(what)?", confirmation)
        for run in runs { try await session.client.call(.post, "runs/delete", ["run_id": .string(run)]) }
        try session.note("\(NumberText.count(runs.count, "run")) deleted. 'apus runs restore' brings them back.")
    }
}
