import ApusCommand
import ArgumentParser

/// `apus runs show`.
struct ShowRun: APICommand {
    static let configuration = CommandConfiguration.apus(
        "show",
        "Show one run: params, metrics, tags, inputs.",
        examples: [
            "apus runs show 5fd979bc857743349850c983f2dd3348",
            "apus runs show 5fd979bc857743349850c983f2dd3348 --json",
        ]
    )

    @Argument(help: "Id of the run.") var run: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let answer = try await session.client.call(.get, "runs/get", ["run_id": .string(run)])
        if output.json { return try session.say(json: answer) }
        let found = answer["run"]
        try session.say(Self.facts(found["info"], now: session.now))
        let data = found["data"]
        try part("Params", data["params"].elements.isEmpty ? nil : Self.params(data["params"]), session)
        try part("Metrics", data["metrics"].elements.isEmpty ? nil : MetricTable.latest(data["metrics"]), session)
        try part("Datasets", Self.datasets(found["inputs"]), session)
        // The name has its own line above.
        let tags = JSON.array(data["tags"].elements.filter { $0["key"].text != "mlflow.runName" })
        try part("Tags", tags.elements.isEmpty ? nil : TagText.table(tags), session)
    }

    private func part(_ title: String, _ table: Table?, _ session: CommandSession) throws {
        guard let table else { return }
        try session.say(title: title)
        try session.say(table)
    }

    /// What is known of a run but what was logged to it.
    static func facts(_ info: JSON, now: Int64) -> FactSheet {
        let (start, end) = (info["start_time"].integer, info["end_time"].integer)
        var facts = FactSheet()
        facts.add("Name", TableCell(info["run_name"].text, style: .bold))
        facts.add("Run id", info["run_id"].string)
        facts.add("Experiment", info["experiment_id"].string)
        facts.add("Status", .status(info["status"].text))
        if info["lifecycle_stage"].text == "deleted" { facts.add("Stage", TableCell("deleted", style: .red)) }
        facts.add("User", info["user_id"].string)
        facts.add("Started", "\(TimeText.local(start)) (\(TimeText.age(start, now: now)))")
        if end != nil { facts.add("Ended", "\(TimeText.local(end)), took \(TimeText.duration(from: start, to: end))") }
        facts.add("Artifacts", info["artifact_uri"].string)
        return facts
    }

    private static func params(_ params: JSON) -> Table {
        Table(
            [TableColumn("PARAM"), TableColumn("VALUE", .left, .flexible)],
            rows: TagText.pairs(params).map { [TableCell($0.key), TableCell($0.value)] }
        )
    }

    private static func datasets(_ inputs: JSON) -> Table? {
        let rows = inputs["dataset_inputs"].elements.map { input in
            let context = input["tags"].elements.last { $0["key"].text == "mlflow.data.context" }?["value"] ?? .null
            return [
                TableCell(input["dataset"]["name"].text), TableCell(input["dataset"]["digest"].text),
                TableCell(context.text), TableCell(input["dataset"]["source_type"].text),
            ]
        }
        if rows.isEmpty { return nil }
        return Table(
            [
                TableColumn("NAME", .left, .flexible), TableColumn("DIGEST"), TableColumn("CONTEXT"),
                TableColumn("SOURCE"),
            ],
            rows: rows
        )
    }
}
