import ApusCommand
import ArgumentParser

/// `apus data lineage`.
struct DataLineage: APICommand {
    static let configuration = CommandConfiguration.apus(
        "lineage",
        "Tell what a version came from and who has used it, or what a run has used.",
        examples: ["apus data lineage wine@v2", "apus data lineage --run 5fd979bc857743349850c983f2dd3348"]
    )

    @Argument(help: "wine, wine@v3, wine@main or wine@blessed.") var dataset: DatasetAddress?
    @Option(help: ArgumentHelp("Tell which versions a run has read and written.", valueName: "id")) var run: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard (dataset == nil) != (run == nil) else { throw ValidationError("Name a version, or a run with --run.") }
    }

    func run(in session: CommandSession) async throws {
        if let run {
            let path = "api/v1/lineage/runs/\(PercentEncoding.component(run))"
            let answer = try await session.client.send(APIRequest(.get, path))
            if output.json { return try session.say(json: answer) }
            let versions = answer["versions"].elements
            guard !versions.isEmpty else { return try session.note("The run has used no version of a dataset.") }
            return try session.say(
                Table(
                    [TableColumn("USE"), TableColumn("VERSION", .left, .flexible)],
                    rows: versions.map { used in
                        [
                            TableCell(used["use"].text),
                            TableCell("\(used["dataset"].text)@v\(used["version"].integer ?? 0)"),
                        ]
                    }
                )
            )
        }
        guard let dataset else { return }
        let number = try await dataset.version(session.client)["version"].integer ?? 0
        let answer = try await session.client.send(
            APIRequest(.get, DatasetClient.path(dataset.name, "versions", "v\(number)", "lineage"))
        )
        if output.json { return try session.say(json: answer) }
        var facts = FactSheet()
        facts.add("Version", "\(dataset.name)@v\(number)")
        facts.add("Made from", answer["parent"].integer.map { "v\($0)" })
        facts.add("Written by", Self.runs(answer["written_by"]))
        facts.add(
            "Versions from it",
            answer["children"].elements.compactMap(\.integer).map { "v\($0)" }.joined(separator: ", ")
        )
        facts.add("Read by", Self.runs(answer["read_by"]))
        facts.add("Models", answer["models"].elements.map { $0["name"].text }.joined(separator: ", "))
        try session.say(facts)
    }

    private static func runs(_ runs: JSON) -> String {
        runs.elements.map { run in
            let name = run["run_name"].text
            return name.isEmpty ? run["run_id"].text : "\(name) (\(run["run_id"].text.prefix(8)))"
        }.joined(separator: ", ")
    }
}
