import ApusCommand
import ArgumentParser

/// `apus experiments show`.
struct ShowExperiment: APICommand {
    static let configuration = CommandConfiguration.apus(
        "show",
        "Show one experiment with its tags.",
        examples: ["apus experiments show Default", "apus experiments show 1 --json"]
    )

    @Argument(help: "Name or id.") var experiment: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let found = try await ExperimentLookup(client: session.client).find(experiment)
        if output.json { return try session.say(json: ["experiment": found]) }
        try session.say(Self.facts(found, now: session.now))
        if !found["tags"].elements.isEmpty {
            try session.say(title: "Tags")
            try session.say(TagText.table(found["tags"]))
        }
    }

    /// What is known of an experiment but its tags.
    static func facts(_ experiment: JSON, now: Int64) -> FactSheet {
        var facts = FactSheet()
        facts.add("Name", TableCell(experiment["name"].text, style: .bold))
        facts.add("Id", experiment["experiment_id"].string)
        facts.add("Stage", experiment["lifecycle_stage"].string)
        for (label, name) in [("Created", "creation_time"), ("Updated", "last_update_time")] {
            let time = experiment[name].integer
            facts.add(label, "\(TimeText.local(time)) (\(TimeText.age(time, now: now)))")
        }
        facts.add("Artifacts", experiment["artifact_location"].string)
        return facts
    }
}
