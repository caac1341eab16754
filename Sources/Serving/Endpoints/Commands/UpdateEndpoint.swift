import ApusCommand
import ArgumentParser

/// `apus endpoints update`.
struct UpdateEndpoint: APICommand {
    static let configuration = CommandConfiguration.apus(
        "update",
        "Change how an endpoint is described, what it follows, and how later versions come in.",
        examples: [
            "apus endpoints update wine --strategy canary --steps 10,50 --hold 30",
            "apus endpoints update wine --follow models:/wine@champion", "apus endpoints update wine --follow ''",
        ]
    )

    @Argument(help: "Name of the endpoint.") var name: String
    @Option(help: ArgumentHelp("What the endpoint is for.", valueName: "text")) var description: String?
    @Option(help: ArgumentHelp("models:/NAME@ALIAS, or nothing to follow no alias.", valueName: "alias"))
    var follow: String?
    @OptionGroup(title: "Strategy of later changes") var strategy: StrategyOptions
    @OptionGroup(title: "Later deployments") var deployment: DeploymentOptions
    @OptionGroup var reason: ReasonOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let endpoint = try await EndpointAPI(client: session.client).update(
            name,
            [
                "description": .optional(description), "follow": .optional(follow), "strategy": strategy.json,
                "settings": deployment.json, "reason": .optional(reason.reason),
            ]
        )
        if output.json { return try session.say(json: endpoint) }
        try session.note("Endpoint '\(name)' is changed.")
    }
}
