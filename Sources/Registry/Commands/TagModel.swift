import ApusCommand
import ArgumentParser

/// `apus models tag`.
struct TagModel: APICommand {
    static let configuration = CommandConfiguration.apus(
        "tag",
        "Set tags of a model or of one of its versions.",
        examples: ["apus models tag churn team=growth", "apus models tag churn/3 validated=yes 'by=Zoe B'"]
    )

    @Argument(help: "churn, churn/3 or churn@champion.") var model: ModelAddress
    @Argument(help: ArgumentHelp("What to set.", valueName: "key=value")) var tags: [KeyValueArgument]
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let (name, version) = try await model.resolve(session.client)
        for tag in tags {
            try await session.client.call(
                .post,
                version == nil ? "registered-models/set-tag" : "model-versions/set-tag",
                [
                    "name": .string(name), "version": .optional(version), "key": .string(tag.key),
                    "value": .string(tag.value),
                ]
            )
        }
    }
}
