import ApusCommand
import ArgumentParser

/// `apus endpoints show`.
struct ShowEndpoint: APICommand {
    static let configuration = CommandConfiguration.apus(
        "show",
        "Show an endpoint, its rollout and its history.",
        examples: ["apus endpoints show wine", "apus endpoints show wine --json"]
    )

    @Argument(help: "Name of the endpoint.") var name: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let api = EndpointAPI(client: session.client)
        let endpoint = try await api.get(name)
        if output.json { return try session.say(json: endpoint) }
        try session.say(EndpointView.facts(endpoint, now: session.now))
        if !endpoint["rollout"]["arms"].elements.isEmpty {
            try session.say(title: "Rollout")
            try session.say(EndpointView.arms(endpoint["rollout"]))
        }
        let revisions = try await api.get(name, "revisions")["revisions"].elements
        try session.say(title: "History")
        try session.say(
            Table(
                [
                    TableColumn("REVISION", .right), TableColumn("CHANGE"), TableColumn("WHEN"), TableColumn("WHO"),
                    TableColumn("WHY", .left, .flexible),
                ],
                rows: revisions.prefix(10).map { revision in
                    [
                        TableCell(revision["revision"].integer.map(String.init) ?? ""),
                        TableCell(String(revision["action"].text.drop { $0 != "." }.dropFirst())),
                        TableCell(TimeText.age(revision["time"].integer, now: session.now)),
                        TableCell(revision["actor"].text), TableCell(revision["reason"].text),
                    ]
                }
            )
        )
    }
}
