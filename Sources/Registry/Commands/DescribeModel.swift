import ApusCommand
import ArgumentParser

/// `apus models describe`.
struct DescribeModel: APICommand {
    static let configuration = CommandConfiguration.apus(
        "describe",
        "Set the description of a model or of one of its versions.",
        examples: [
            "apus models describe churn 'Who leaves within 30 days?'", "apus models describe churn/3 'more data'",
        ]
    )

    @Argument(help: "churn, churn/3 or churn@champion.") var model: ModelAddress
    @Argument(help: "The description; an empty one removes it.") var text: String
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let (name, version) = try await model.resolve(session.client)
        try await session.client.call(
            .patch,
            version == nil ? "registered-models/update" : "model-versions/update",
            ["name": .string(name), "version": .optional(version), "description": .string(text)]
        )
    }
}
