import ApusCommand
import ArgumentParser

/// `apus models stage`.
struct SetModelStage: APICommand {
    static let configuration = CommandConfiguration.apus(
        "stage",
        "Move a version to a stage.",
        discussion: "Stages are None, Staging, Production and Archived. Aliases say more; see 'apus models alias'.",
        examples: [
            "apus models stage churn/3 Staging", "apus models stage churn/3 Production --archive-existing",
        ]
    )

    @Argument(help: "churn/3 or churn@champion.") var version: ModelAddress
    @Argument(help: "The stage.", completion: .list(["None", "Staging", "Production", "Archived"])) var stage: String
    @Flag(help: "Move the versions that are in that stage now to Archived.") var archiveExisting = false
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let (name, number) = try await version.resolveVersion(session.client)
        let answer = try await session.client.call(
            .post,
            "model-versions/transition-stage",
            [
                "name": .string(name), "version": .string(number), "stage": .string(stage),
                "archive_existing_versions": .bool(archiveExisting),
            ]
        )
        try session.note("\(name)/\(number) is now in \(answer["model_version"]["current_stage"].text).")
    }
}
