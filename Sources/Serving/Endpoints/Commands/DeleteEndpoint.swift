import ApusCommand
import ArgumentParser

/// `apus endpoints delete`.
struct DeleteEndpoint: APICommand {
    static let configuration = CommandConfiguration.apus(
        "delete",
        "Stop serving an endpoint; 'apus endpoints rollback' brings it back.",
        examples: ["apus endpoints delete wine --yes --reason 'nobody calls it'"],
        aliases: ["rm"]
    )

    @Argument(help: "Name of the endpoint.") var name: String
    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var reason: ReasonOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        try session.confirm("Stop serving endpoint '\(name)'?", confirmation)
        try await EndpointAPI(client: session.client).delete(name, ["reason": .optional(reason.reason)])
        try session.note("Endpoint '\(name)' is deleted.")
    }
}
