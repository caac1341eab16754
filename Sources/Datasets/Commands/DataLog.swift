import ApusCommand
import ArgumentParser

/// `apus data log`.
struct DataLog: APICommand {
    static let configuration = CommandConfiguration.apus(
        "log",
        "Tell the versions that led to one, the youngest first.",
        examples: ["apus data log wine", "apus data log wine@cleaned --limit 20"]
    )

    @Argument(help: "wine, wine@v3, wine@main or wine@blessed.") var dataset: DatasetAddress
    @OptionGroup var options: ListOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        var query: [(String, String)] = []
        if let reference = dataset.reference { query.append(("ref", reference)) }
        let listing = try await session.client.pages(
            DatasetClient.path(dataset.name, "versions"),
            query: query,
            list: "versions",
            limit: options.maximum
        )
        let refs = try await session.client.send(APIRequest(.get, DatasetClient.path(dataset.name, "refs")))["refs"]
        try session.say(
            listing,
            as: "versions",
            noun: "versions",
            options: options,
            identifier: { "v\($0["version"].integer ?? 0)" },
            table: { Self.table($0, refs: refs.elements, now: session.now) }
        )
    }

    private static func table(_ versions: [JSON], refs: [JSON], now: Int64) -> Table {
        Table(
            [
                TableColumn("VERSION", .right), TableColumn("REFS", .left, .flexible), TableColumn("CREATED"),
                TableColumn("FILES", .right), TableColumn("SIZE", .right), TableColumn("AUTHOR", .left, .spare),
                TableColumn("MESSAGE", .left, .flexible), TableColumn("ID", .left, .spare),
            ],
            rows: versions.map { version in
                let number = version["version"].integer
                let names = refs.filter { $0["version"].integer == number }.map { $0["name"].text }
                return [
                    TableCell("v\(number ?? 0)"), TableCell(names.joined(separator: ", ")),
                    TableCell(TimeText.age(version["creation_time"].integer, now: now)),
                    TableCell(String(version["files"].integer ?? 0)),
                    TableCell(NumberText.bytes(version["bytes"].integer ?? 0)),
                    TableCell(version["author"].text), TableCell(version["message"].text),
                    TableCell(String(version["identifier"].text.prefix(12))),
                ]
            }
        )
    }
}
