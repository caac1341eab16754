import ApusCommand
import ArgumentParser

/// `apus runs list`.
struct ListRuns: APICommand {
    static let configuration = CommandConfiguration.apus(
        "list",
        "List runs, the newest first.",
        examples: [
            "apus runs list", "apus runs list --experiment Default --show metrics.acc --show params.lr",
            "apus runs list --quiet --all",
        ],
        aliases: ["ls"]
    )

    @OptionGroup var scope: RunScopeOptions
    @OptionGroup var list: ListOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        try await RunListing(session: session).show(filter: nil, order: [], scope: scope, options: list)
    }
}
