import ApusCommand
import ArgumentParser

/// `apus models show`.
struct ShowModel: APICommand {
    static let configuration = CommandConfiguration.apus(
        "show",
        "Show a model or one of its versions.",
        examples: ["apus models show churn", "apus models show churn/3", "apus models show churn@champion --json"]
    )

    @Argument(help: "churn, churn/3 or churn@champion.") var model: ModelAddress
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let (name, version) = try await model.resolve(session.client)
        guard let version else { return try await showModel(name, session) }
        let answer = try await session.client.call(
            .get,
            "model-versions/get",
            ["name": .string(name), "version": .string(version)]
        )
        if output.json { return try session.say(json: answer) }
        let found = answer["model_version"]
        try session.say(Self.facts(version: found, now: session.now))
        try showTags(found["tags"], session)
    }

    private func showModel(_ name: String, _ session: CommandSession) async throws {
        let answer = try await session.client.call(.get, "registered-models/get", ["name": .string(name)])
        if output.json { return try session.say(json: answer) }
        let found = answer["registered_model"]
        try session.say(Self.facts(model: found, now: session.now))
        let versions = try await ModelVersionListing.latest(of: name, session.client)
        if !versions.elements.isEmpty {
            try session.say(title: versions.hasMore ? "Latest versions" : "Versions")
            try session.say(ModelVersionListing.table(versions.elements, model: found, now: session.now))
        }
        try showTags(found["tags"], session)
    }

    private func showTags(_ tags: JSON, _ session: CommandSession) throws {
        guard !tags.elements.isEmpty else { return }
        try session.say(title: "Tags")
        try session.say(TagText.table(tags))
    }

    /// What is known of a model but its versions and tags.
    static func facts(model: JSON, now: Int64) -> FactSheet {
        var facts = FactSheet()
        facts.add("Name", TableCell(model["name"].text, style: .bold))
        facts.add("Description", model["description"].string)
        facts.add("Aliases", ModelListing.aliases(model))
        addTimes(model, now: now, to: &facts)
        return facts
    }

    /// What is known of a version but its tags.
    static func facts(version: JSON, now: Int64) -> FactSheet {
        var facts = FactSheet()
        facts.add("Model", TableCell(version["name"].text, style: .bold))
        facts.add("Version", version["version"].string)
        facts.add("Status", .status(version["status"].text))
        facts.add("Message", version["status_message"].string)
        facts.add("Stage", version["current_stage"].string)
        facts.add("Aliases", version["aliases"].elements.map(\.text).sorted().joined(separator: ", "))
        facts.add("Description", version["description"].string)
        facts.add("Source", version["source"].string)
        facts.add("Run", version["run_id"].string)
        facts.add("Logged model", version["model_id"].string)
        addTimes(version, now: now, to: &facts)
        return facts
    }

    private static func addTimes(_ subject: JSON, now: Int64, to facts: inout FactSheet) {
        for (label, name) in [("Created", "creation_timestamp"), ("Updated", "last_updated_timestamp")] {
            let time = subject[name].integer
            facts.add(label, "\(TimeText.local(time)) (\(TimeText.age(time, now: now)))")
        }
    }
}
