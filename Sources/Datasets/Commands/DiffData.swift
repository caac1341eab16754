import ApusCommand
import ArgumentParser

/// `apus data diff`.
struct DiffData: APICommand {
    static let configuration = CommandConfiguration.apus(
        "diff",
        "Tell what differs between two versions.",
        discussion: "`apus data status` tells what has changed in a working copy.",
        examples: ["apus data diff wine v1 v3", "apus data diff wine main cleaned --quiet"]
    )

    @Argument(help: "The dataset.") var dataset: DatasetAddress
    @Argument(help: "The older version.") var from: String
    @Argument(help: "The newer version; the newest when left out.") var to: String?
    @OptionGroup var options: ListOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let name = try dataset.dataset()
        let reference: String
        if let to {
            reference = to
        } else {
            reference = "v\(try await dataset.version(session.client)["version"].integer ?? 0)"
        }
        let listing = try await session.client.pages(
            DatasetClient.path(name, "versions", reference, "diff"),
            query: [("from", from)],
            list: "differences",
            limit: options.maximum
        )
        try session.say(
            listing,
            as: "differences",
            noun: "differences",
            options: options,
            identifier: { $0["path"].text },
            table: { Self.table($0) }
        )
    }

    private static func table(_ differences: [JSON]) -> Table {
        Table(
            [
                TableColumn("CHANGE"), TableColumn("PATH", .left, .flexible), TableColumn("FROM", .right),
                TableColumn("TO", .right),
            ],
            rows: differences.map { difference in
                let change = difference["change"].text
                return [
                    TableCell(change), TableCell(difference["path"].text),
                    TableCell(difference["from"]["bytes"].integer.map(NumberText.bytes) ?? ""),
                    TableCell(difference["to"]["bytes"].integer.map(NumberText.bytes) ?? ""),
                ]
            }
        )
    }
}
