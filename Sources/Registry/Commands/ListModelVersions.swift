import ApusCommand
import ArgumentParser

/// `apus models versions`.
struct ListModelVersions: APICommand {
    static let configuration = CommandConfiguration.apus(
        "versions",
        "List the versions of a model, the highest first.",
        examples: ["apus models versions churn", "apus models versions churn --quiet"]
    )

    @Argument(help: "Name of the model.") var model: ModelAddress
    @OptionGroup var list: ListOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let name = try model.model()
        // Asked for first, as a search for a model that does not exist is no error.
        let found = try await session.client.call(.get, "registered-models/get", ["name": .string(name)])
        let listing = try await ModelVersionListing.list(name, session.client, limit: list.maximum)
        try session.say(
            listing,
            as: "model_versions",
            noun: "versions",
            options: list,
            identifier: { $0["version"].text },
            table: { ModelVersionListing.table($0, model: found["registered_model"], now: session.now) }
        )
    }
}
