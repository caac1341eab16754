import ApusCommand
import ArgumentParser

/// `apus experiments list`.
struct ListExperiments: APICommand {
    static let configuration = CommandConfiguration.apus(
        "list",
        "List experiments, the newest first.",
        examples: [
            "apus experiments list", "apus experiments list --with-deleted --all", "apus experiments list --json",
        ],
        aliases: ["ls"]
    )

    @OptionGroup var lifecycle: LifecycleOptions
    @OptionGroup var list: ListOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        try await ExperimentListing(session: session).show(filter: nil, order: [], lifecycle: lifecycle, options: list)
    }
}
