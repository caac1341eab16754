import ApusCommand
import ArgumentParser

/// `apus endpoints list`.
struct ListEndpoints: APICommand {
    static let configuration = CommandConfiguration.apus(
        "list",
        "List endpoints by name.",
        examples: ["apus endpoints list", "apus endpoints list --json"],
        aliases: ["ls"]
    )

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let answer = try await EndpointAPI(client: session.client).list()
        if output.json { return try session.say(json: answer) }
        let endpoints = answer["endpoints"].elements
        if endpoints.isEmpty { return try session.note("No endpoints. Make one with 'apus endpoints create'.") }
        try session.say(EndpointView.table(endpoints, now: session.now))
    }
}
