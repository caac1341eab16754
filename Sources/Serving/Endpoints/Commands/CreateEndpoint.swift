import ApusCommand
import ArgumentParser

/// `apus endpoints create`.
struct CreateEndpoint: APICommand {
    static let configuration = CommandConfiguration.apus(
        "create",
        "Make an endpoint, and serve a model version by it.",
        discussion: """
            With models:/NAME@ALIAS the endpoint follows the alias: when it is moved in the registry, the endpoint \
            rolls to the new version by its --strategy.
            """,
        examples: [
            "apus endpoints create wine models:/wine@champion --strategy canary --steps 5,25,50 --hold 60",
            "apus endpoints create wine models:/wine/3 --reason 'first version'", "apus endpoints create wine",
        ]
    )

    @Argument(help: "Name of the endpoint.") var name: String
    @Argument(help: "models:/NAME/VERSION or models:/NAME@ALIAS; none for an endpoint without a version yet.")
    var source: String?
    @Option(help: ArgumentHelp("What the endpoint is for.", valueName: "text")) var description: String?
    @OptionGroup(title: "Strategy of later changes") var strategy: StrategyOptions
    @OptionGroup(title: "Deployment") var deployment: DeploymentOptions
    @OptionGroup var reason: ReasonOptions
    @Flag(help: "Do not wait until the version is loaded.") var noWait = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let answer = try await EndpointAPI(client: session.client).create([
            "name": .string(name), "source": .optional(source), "description": .optional(description),
            "strategy": strategy.json, "settings": deployment.json, "reason": .optional(reason.reason),
        ])
        let endpoint =
            noWait ? answer : try await RolloutWatch(session: session, isQuiet: output.json).follow(answer)
        if output.json { return try session.say(json: endpoint) }
        try session.note("Endpoint '\(name)' is made.")
    }
}
