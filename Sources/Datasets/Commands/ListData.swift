import ApusCommand
import ArgumentParser

/// `apus data ls`.
struct ListData: APICommand {
    static let configuration = CommandConfiguration.apus(
        "ls",
        "List datasets, or what is in a version.",
        examples: ["apus data ls", "apus data ls wine@v3", "apus data ls wine raw/2026 --recursive"],
        aliases: ["list"]
    )

    @Argument(help: "A dataset or version; all datasets when left out.") var dataset: DatasetAddress?
    @Argument(help: "A directory of the version.") var path = ""
    @Flag(name: .shortAndLong, help: "All files below the directory.") var recursive = false
    @OptionGroup var options: ListOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        guard let dataset else { return try await listDatasets(session) }
        let version = try await dataset.version(session.client)["version"].integer ?? 0
        let directory = path.split(separator: "/").joined(separator: "/")
        let listing = try await session.client.pages(
            DatasetClient.path(dataset.name, "versions", "v\(version)", "list"),
            query: [("path", directory), ("recursive", recursive ? "true" : "false")],
            list: "items",
            limit: options.maximum
        )
        if listing.elements.isEmpty, !directory.isEmpty {
            throw CommandFailure("\(dataset.name)@v\(version) has no directory '\(directory)'")
        }
        try session.say(
            listing,
            as: "items",
            noun: "files",
            options: options,
            identifier: { $0["path"].text },
            table: { Self.table(of: $0) }
        )
    }

    private func listDatasets(_ session: CommandSession) async throws {
        let listing = try await session.client.pages(DatasetClient.path(), list: "datasets", limit: options.maximum)
        try session.say(
            listing,
            as: "datasets",
            noun: "datasets",
            options: options,
            identifier: { $0["name"].text },
            table: { Self.table(ofDatasets: $0, now: session.now) }
        )
    }

    private static func table(of items: [JSON]) -> Table {
        Table(
            [
                TableColumn("PATH", .left, .flexible), TableColumn("SIZE", .right), TableColumn("FILES", .right),
                TableColumn("SHA256", .left, .spare),
            ],
            rows: items.map { item in
                let isFolder = item["is_directory"] == .bool(true)
                return [
                    TableCell(item["path"].text + (isFolder ? "/" : "")),
                    TableCell(NumberText.bytes(item["bytes"].integer ?? 0)),
                    TableCell(item["files"].integer.map(String.init) ?? ""),
                    TableCell(String(item["sha256"].text.prefix(12))),
                ]
            }
        )
    }

    private static func table(ofDatasets datasets: [JSON], now: Int64) -> Table {
        Table(
            [
                TableColumn("NAME", .left, .flexible), TableColumn("VERSION", .right), TableColumn("FILES", .right),
                TableColumn("SIZE", .right), TableColumn("UPDATED"), TableColumn("DESCRIPTION", .left, .flexible),
            ],
            rows: datasets.map { dataset in
                let head = dataset["head"]
                return [
                    TableCell(dataset["name"].text),
                    TableCell(head["version"].integer.map { "v\($0)" } ?? TimeText.none),
                    TableCell(head["files"].integer.map(String.init) ?? ""),
                    TableCell(head["bytes"].integer.map(NumberText.bytes) ?? ""),
                    TableCell(TimeText.age(dataset["last_updated_time"].integer, now: now)),
                    TableCell(dataset["description"].text),
                ]
            }
        )
    }
}
