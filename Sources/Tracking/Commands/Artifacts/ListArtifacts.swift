import ApusCommand
import ArgumentParser

/// `apus artifacts list`.
struct ListArtifacts: APICommand {
    static let configuration = CommandConfiguration.apus(
        "list",
        "List the files of a run.",
        examples: [
            "apus artifacts list 5fd979bc857743349850c983f2dd3348",
            "apus artifacts list 5fd979bc857743349850c983f2dd3348 model --recursive",
        ],
        aliases: ["ls"]
    )

    @Argument(help: "Id of the run.") var run: String
    @Argument(help: "A folder; all when left out.") var path = ""
    @Flag(name: .shortAndLong, help: "List the files of all folders below.") var recursive = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let entries = try await RunArtifacts(client: session.client, run: run).list(path, isRecursive: recursive)
        if output.json { return try session.say(json: ["files": .array(entries.map(Self.json))]) }
        if entries.isEmpty { return try session.note("No artifacts.") }
        try session.say(Self.table(entries))
    }

    /// A line for each entry; folders end with a slash.
    static func table(_ entries: [RunArtifacts.Entry]) -> Table {
        Table(
            [TableColumn("SIZE", .right), TableColumn("PATH", .left, .flexible)],
            rows: entries.map { entry in
                let size = entry.isFolder ? "" : entry.sizeBytes.map(NumberText.bytes) ?? TimeText.none
                return [TableCell(size), TableCell(entry.isFolder ? "\(entry.path)/" : entry.path)]
            }
        )
    }

    private static func json(_ entry: RunArtifacts.Entry) -> JSON {
        let object: JSON = [
            "path": .string(entry.path), "is_dir": .bool(entry.isFolder),
            "file_size": entry.sizeBytes.map(JSON.integer) ?? .null,
        ]
        return object.withoutNulls
    }
}
