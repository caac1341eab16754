import ApusCommand
import ArgumentParser

/// `apus models delete`.
struct DeleteModel: APICommand {
    static let configuration = CommandConfiguration.apus(
        "delete",
        "Delete a model with all its versions, or one version, for good.",
        examples: ["apus models delete churn/3", "apus models delete churn --yes"],
        aliases: ["rm"]
    )

    @Argument(help: "churn, churn/3 or churn@champion.") var model: ModelAddress
    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let (name, version) = try await model.resolve(session.client)
        if let version {
            try session.confirm("Delete version \(version) of model '\(name)' for good?", confirmation)
            try await session.client.call(
                .delete,
                "model-versions/delete",
                ["name": .string(name), "version": .string(version)]
            )
            return try session.note("\(name)/\(version) is deleted.")
        }
        try session.confirm("Delete model '\(name)' with all its versions for good?", confirmation)
        try await session.client.call(.delete, "registered-models/delete", ["name": .string(name)])
        try session.note("Model '\(name)' is deleted.")
    }
}
