import ApusCommand
import ArgumentParser

/// `apus experiments search`.
struct SearchExperiments: APICommand {
    static let configuration = CommandConfiguration.apus(
        "search",
        "Find experiments by name, time or tag.",
        discussion: """
            The filter is in MLflow's search language: name, experiment_id, creation_time, last_update_time and \
            tags.KEY, compared with =, !=, <, <=, >, >=, LIKE and ILIKE, and joined by AND.
            """,
        examples: [
            "apus experiments search \"name LIKE 'churn%'\"",
            "apus experiments search \"tags.team = 'growth'\" --order-by 'name ASC'",
        ]
    )

    @Argument(help: "What experiments must satisfy.") var filter: String
    @Option(help: ArgumentHelp("Sort by this, such as 'name ASC'; may be repeated.", valueName: "term"))
    var orderBy: [String] = []
    @OptionGroup var lifecycle: LifecycleOptions
    @OptionGroup var list: ListOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        try await ExperimentListing(session: session)
            .show(filter: filter, order: orderBy, lifecycle: lifecycle, options: list)
    }
}
