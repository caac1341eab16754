import ApusCommand
import ArgumentParser

/// `apus endpoints report`.
struct EndpointReport: APICommand {
    static let configuration = CommandConfiguration.apus(
        "report",
        "Compare the versions of the present rollout, or of the last one.",
        discussion: "All intervals hold at all times at once, so a test may be watched while it runs.",
        examples: ["apus endpoints report wine", "apus endpoints report wine --json"]
    )

    @Argument(help: "Name of the endpoint.") var name: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let report = try await EndpointAPI(client: session.client).get(name, "report")
        if output.json { return try session.say(json: report) }
        try session.say(EndpointView.report(report))
        if let outcome = report["outcome"].string { try session.say("\(outcome)") }
        try session.say(report["conclusion"].text)
    }
}
