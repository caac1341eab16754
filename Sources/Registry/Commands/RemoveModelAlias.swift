import ApusCommand
import ArgumentParser

/// `apus models unalias`.
struct RemoveModelAlias: APICommand {
    static let configuration = CommandConfiguration.apus(
        "unalias",
        "Remove aliases of a model.",
        examples: ["apus models unalias churn challenger"]
    )

    @Argument(help: "Name of the model.") var model: ModelAddress
    @Argument(help: "What to remove.") var aliases: [String]
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let name = try model.model()
        for alias in aliases {
            try await session.client.call(
                .delete,
                "registered-models/alias",
                ["name": .string(name), "alias": .string(alias)]
            )
        }
    }
}
