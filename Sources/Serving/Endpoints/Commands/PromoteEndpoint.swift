import ApusCommand
import ArgumentParser

/// `apus endpoints promote`.
struct PromoteEndpoint: APICommand {
    static let configuration = CommandConfiguration.apus(
        "promote",
        "Give all requests to the new version now.",
        examples: ["apus endpoints promote wine", "apus endpoints promote wine --version 4 --reason 'won the test'"]
    )

    @Argument(help: "Name of the endpoint.") var name: String
    @Option(help: ArgumentHelp("Which one of an A/B test.", valueName: "number")) var version: String?
    @OptionGroup var reason: ReasonOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let endpoint = try await EndpointAPI(client: session.client).call(
            "promote",
            name,
            ["version": .optional(version), "reason": .optional(reason.reason)]
        )
        if output.json { return try session.say(json: endpoint) }
        try session.note("Endpoint '\(name)' serves version \(endpoint["stable"]["version"].text).")
    }
}
