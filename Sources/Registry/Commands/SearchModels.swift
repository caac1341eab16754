import ApusCommand
import ArgumentParser

/// `apus models search`.
struct SearchModels: APICommand {
    static let configuration = CommandConfiguration.apus(
        "search",
        "Find registered models by name or tag.",
        discussion: """
            The filter is in MLflow's search language: name and tags.KEY, compared with =, !=, LIKE and ILIKE, and \
            joined by AND.
            """,
        examples: [
            "apus models search \"name LIKE 'churn%'\"",
            "apus models search \"tags.team = 'growth'\" --order-by 'last_updated_timestamp DESC'",
        ]
    )

    @Argument(help: "What models must satisfy.") var filter: String
    @Option(help: ArgumentHelp("Sort by this, such as 'name DESC'; may be repeated.", valueName: "term"))
    var orderBy: [String] = []
    @OptionGroup var list: ListOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        try await ModelListing(session: session).show(filter: filter, order: orderBy, options: list)
    }
}
