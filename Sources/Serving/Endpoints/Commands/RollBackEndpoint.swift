import ApusCommand
import ArgumentParser

/// `apus endpoints rollback`.
struct RollBackEndpoint: APICommand {
    static let configuration = CommandConfiguration.apus(
        "rollback",
        "Undo the last change of an endpoint.",
        discussion: """
            Ends a rollout that is under way; else goes back to the state before the last change, or to --to REVISION. \
            A deleted endpoint comes back. Rolling back twice undoes the roll back.
            """,
        examples: [
            "apus endpoints rollback wine --reason 'too many complaints'", "apus endpoints rollback wine --to 3",
        ]
    )

    @Argument(help: "Name of the endpoint.") var name: String
    @Option(name: .customLong("to"), help: ArgumentHelp("A revision of the history.", valueName: "revision"))
    var revision: Int64?
    @OptionGroup var reason: ReasonOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let answer = try await EndpointAPI(client: session.client).call(
            "rollback",
            name,
            ["revision": revision.map(JSON.integer) ?? .null, "reason": .optional(reason.reason)]
        )
        let endpoint = try await RolloutWatch(session: session, isQuiet: output.json).follow(answer)
        if output.json { return try session.say(json: endpoint) }
        let version = endpoint["stable"]["version"].string ?? "none"
        try session.note(
            "Endpoint '\(name)' is at revision \(endpoint["revision"].integer ?? 0); its version: \(version)."
        )
    }
}
