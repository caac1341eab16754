import ApusCommand
import ArgumentParser

/// `apus endpoints abort`.
struct AbortEndpoint: APICommand {
    static let configuration = CommandConfiguration.apus(
        "abort",
        "End a rollout; the stable version stays.",
        examples: ["apus endpoints abort wine --reason 'odd answers'"]
    )

    @Argument(help: "Name of the endpoint.") var name: String
    @OptionGroup var reason: ReasonOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let endpoint = try await EndpointAPI(client: session.client).call(
            "abort",
            name,
            ["reason": .optional(reason.reason)]
        )
        if output.json { return try session.say(json: endpoint) }
        let version = endpoint["stable"]["version"].string
        try session.note(
            version.map { "Endpoint '\(name)' goes on serving version \($0)." }
                ?? "Endpoint '\(name)' serves no version."
        )
    }
}
