import ApusCommand
import ArgumentParser

/// `apus models untag`.
struct UntagModel: APICommand {
    static let configuration = CommandConfiguration.apus(
        "untag",
        "Remove tags of a model or of one of its versions.",
        examples: ["apus models untag churn team", "apus models untag churn@champion validated by"]
    )

    @Argument(help: "churn, churn/3 or churn@champion.") var model: ModelAddress
    @Argument(help: ArgumentHelp("What to remove.", valueName: "key")) var keys: [String]
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let (name, version) = try await model.resolve(session.client)
        for key in keys {
            try await session.client.call(
                .delete,
                version == nil ? "registered-models/delete-tag" : "model-versions/delete-tag",
                ["name": .string(name), "version": .optional(version), "key": .string(key)]
            )
        }
    }
}
