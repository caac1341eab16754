import ApusCommand
import ArgumentParser

/// `apus models rename`.
struct RenameModel: APICommand {
    static let configuration = CommandConfiguration.apus(
        "rename",
        "Give a model another name.",
        examples: ["apus models rename churn churn-monthly"]
    )

    @Argument(help: "Name of the model.") var model: ModelAddress
    @Argument(help: "A name that no model has.") var newName: String
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let name = try model.model()
        try await session.client.call(
            .post,
            "registered-models/rename",
            ["name": .string(name), "new_name": .string(newName)]
        )
        try session.note("Model '\(name)' is now named '\(newName)'.")
    }
}
