import ApusCommand
import ArgumentParser

/// `apus data rm`.
struct RemoveData: APICommand {
    static let configuration = CommandConfiguration.apus(
        "rm",
        "Make a version without some files, or remove a dataset.",
        discussion: """
            With paths, a new version is made without them; older versions keep them. Without paths the dataset is \
            removed with all its versions, and `apus gc` frees what nothing else refers to.
            """,
        examples: [
            "apus data rm wine raw/old.csv images/2019/ --message 'Out of date'", "apus data rm wine --yes",
        ],
        aliases: ["remove"]
    )

    @Argument(help: "The dataset, or a branch of it as wine@cleaned.") var dataset: DatasetAddress
    @Argument(help: "Files, and directories with a slash behind them.") var paths: [String] = []
    @Option(name: .shortAndLong, help: ArgumentHelp("What the version is about.", valueName: "text")) var message = ""
    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        guard !paths.isEmpty else {
            let name = try dataset.dataset()
            try session.confirm("Remove dataset '\(name)' with all its versions for good?", confirmation)
            _ = try await session.client.send(APIRequest(.delete, DatasetClient.path(name)))
            return try session.note("Dataset '\(name)' is removed.")
        }
        let server = DatasetClient(client: session.client, dataset: dataset.name)
        let head = try await dataset.version(session.client)
        var changes: [TreeChange] = []
        for path in paths { changes.append(try await change(path, head, server)) }
        let answer = try await server.commit(
            DatasetClient.Commit(
                branch: dataset.reference,
                message: message,
                author: Environment.process["USER"] ?? Environment.process["LOGNAME"],
                base: head["version"].integer
            ),
            changes
        )
        if output.json { return try session.say(json: answer) }
        try session.say("\(dataset.name)@v\(answer["version"]["version"].integer ?? 0)")
    }

    private func change(_ text: String, _ head: JSON, _ server: DatasetClient) async throws -> TreeChange {
        let isDirectory = text.hasSuffix("/")
        guard let path = try? FilePath(validating: isDirectory ? String(text.dropLast()) : text) else {
            throw CommandFailure.usage("'\(text)' is no path in a dataset")
        }
        let version = head["version"].integer ?? 0
        let parent = path.parent?.text ?? ""
        let items = try await server.client.pages(
            DatasetClient.path(dataset.name, "versions", "v\(version)", "list"),
            query: [("path", parent)],
            list: "items",
            limit: nil
        ).elements
        guard let item = items.first(where: { $0["path"].string == path.text }) else {
            throw CommandFailure("\(dataset.name)@v\(version) has no '\(path)'")
        }
        guard (item["is_directory"] == .bool(true)) == isDirectory else {
            throw CommandFailure(
                isDirectory ? "'\(path)' is a file" : "'\(path)' is a directory",
                hint: isDirectory ? "Write it without the slash." : "Write \(path)/ to remove all that is in it."
            )
        }
        return isDirectory ? .removeDirectory(path) : .remove(path)
    }
}
