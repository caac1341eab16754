import ApusCommand
import ArgumentParser

/// `apus artifacts delete`.
struct DeleteArtifacts: APICommand {
    static let configuration = CommandConfiguration.apus(
        "delete",
        "Delete a file or a folder of a run, for good.",
        examples: ["apus artifacts delete 5fd979bc857743349850c983f2dd3348 model/checkpoints --yes"],
        aliases: ["rm"]
    )

    @Argument(help: "Id of the run.") var run: String
    @Argument(help: "A file or a folder.") var path: String
    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        // The same rule as for a server's names: nothing that could mean the folder above.
        let name = try LocalPath.segments(ofRemote: path).joined(separator: "/")
        let artifacts = RunArtifacts(client: session.client, run: run)
        let store = try await artifacts.storePath()
        try session.confirm("Delete '\(name)' of run \(run) for good?", confirmation)
        _ = try await session.client.send(artifacts.request(.delete, name, in: store))
        try session.note("'\(name)' is deleted.")
    }
}
