import ApusCommand
import ArgumentParser

/// `apus models list`.
struct ListModels: APICommand {
    static let configuration = CommandConfiguration.apus(
        "list",
        "List registered models by name.",
        examples: ["apus models list", "apus models list --json --all"],
        aliases: ["ls"]
    )

    @OptionGroup var list: ListOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        try await ModelListing(session: session).show(filter: nil, order: [], options: list)
    }
}
