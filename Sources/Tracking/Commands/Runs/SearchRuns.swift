import ApusCommand
import ArgumentParser

/// `apus runs search`.
struct SearchRuns: APICommand {
    static let configuration = CommandConfiguration.apus(
        "search",
        "Find runs by metric, param, tag or attribute.",
        discussion: """
            The filter is in MLflow's search language: metrics.KEY, params.KEY, tags.KEY and attributes such as \
            status, run_name, start_time, compared with =, !=, <, <=, >, >=, LIKE and ILIKE, and joined by AND. \
            Metrics and params that are named in it have a column.
            """,
        examples: [
            "apus runs search -e Default \"metrics.acc > 0.9\" --order-by \"metrics.acc DESC\"",
            "apus runs search \"params.optimizer = 'adam' AND status = 'FINISHED'\"",
            "apus runs search \"run_name LIKE 'base%'\" --json",
        ]
    )

    @Argument(help: "What runs must satisfy.") var filter: String
    @Option(help: ArgumentHelp("Sort by this, such as 'metrics.acc DESC'; may be repeated.", valueName: "term"))
    var orderBy: [String] = []
    @OptionGroup var scope: RunScopeOptions
    @OptionGroup var list: ListOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        try await RunListing(session: session).show(filter: filter, order: orderBy, scope: scope, options: list)
    }
}
