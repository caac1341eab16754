import ApusCommand
import ArgumentParser

/// `apus endpoints deploy`.
struct DeployEndpoint: APICommand {
    static let configuration = CommandConfiguration.apus(
        "deploy",
        "Bring another model version in.",
        discussion: """
            Waits until the new version has taken over, or until the rollout is a person's to end: a blue-green one that \
            is ready, a shadow or an A/B test that runs. Fails when the rollout is rolled back.
            """,
        examples: [
            "apus endpoints deploy wine models:/wine/4",
            "apus endpoints deploy wine models:/wine/4 --strategy canary --steps 5,25,50 --hold 60 --reason 'more data'",
            "apus endpoints deploy wine models:/wine/4 --strategy blue-green",
            "apus endpoints deploy wine models:/wine/4 --strategy shadow --percent 10 --no-wait",
            "apus endpoints deploy wine models:/wine/4 --strategy a-b --percent 50",
        ]
    )

    @Argument(help: "Name of the endpoint.") var name: String
    @Argument(help: "models:/NAME/VERSION or models:/NAME@ALIAS.") var source: String
    @OptionGroup(title: "Strategy") var strategy: StrategyOptions
    @OptionGroup(title: "Deployment") var deployment: DeploymentOptions
    @Flag(help: "Give up a rollout that is under way.") var replace = false
    @OptionGroup var reason: ReasonOptions
    @Flag(help: "Do not wait for the rollout.") var noWait = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let answer = try await EndpointAPI(client: session.client).call(
            "deploy",
            name,
            [
                "source": .string(source), "strategy": strategy.json, "settings": deployment.json,
                "replace": replace ? true : .null, "reason": .optional(reason.reason),
            ]
        )
        let endpoint =
            noWait ? answer : try await RolloutWatch(session: session, isQuiet: output.json).follow(answer)
        if output.json { return try session.say(json: endpoint) }
        guard let phase = endpoint["rollout"]["phase"].string else { return }
        try session.note(
            phase == "ready" || phase == "running" && !noWait
                ? "End it with 'apus endpoints promote \(name)' or 'apus endpoints abort \(name)'."
                : "See how it goes with 'apus endpoints show \(name)'."
        )
    }
}
