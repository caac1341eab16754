import ApusCommand
import ArgumentParser

/// `apus data commit`.
struct CommitData: APICommand {
    static let configuration = CommandConfiguration.apus(
        "commit",
        "Make a version of a folder.",
        discussion: """
            The first time --dataset names the dataset, which is made when there is none; the folder is a working copy \
            from then on. What `apus data add` has staged is committed alone; without it, or with --all, everything \
            that has changed in the folder. The version appears whole or not at all. A command that was stopped goes on \
            where it was: what has arrived is not sent again.
            """,
        examples: [
            "apus data commit ./wine --dataset wine --message 'First delivery'",
            "apus data commit -m 'Fix the labels of Tuesday'",
            "apus data commit ./wine --branch cleaned -m 'Without duplicates' --json",
        ]
    )

    @Argument(help: "The folder, or one in a working copy.") var folder = "."
    @Option(help: ArgumentHelp("The dataset, for a folder that is no working copy yet.", valueName: "name"))
    var dataset: String?
    @Option(name: .shortAndLong, help: ArgumentHelp("What the version is about.", valueName: "text")) var message = ""
    @Option(help: ArgumentHelp("The branch, which is made when there is none.", valueName: "name")) var branch: String?
    @Flag(help: "Commit all changes, and not only what is staged.") var all = false
    @Flag(help: "Commit even if the branch has moved on; what others have added since stays.")
    var force = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        var copy = try workingCopy()
        let isFirst = copy.binding.version == nil
        let commit = CopyCommit(copy: copy, session: session)
        let staged = copy.staged()
        let changes = try await staged.isEmpty || all ? commit.allChanges() : commit.changes(of: staged)
        for path in changes.leftOut { try session.note("left out: '\(path)' is neither a file nor a folder") }
        let server = DatasetClient(client: session.client, dataset: copy.binding.dataset)
        if changes.list.isEmpty, !isFirst, branch == nil || branch == copy.binding.branch {
            if output.json { return try session.say(json: ["is_new": .bool(false)]) }
            return try session.note("Nothing has changed since v\(copy.binding.version ?? 0).")
        }
        if let branch, let version = copy.binding.version, branch != copy.binding.branch {
            try await begin(branch, at: version, server)
        }
        let answer = try await server.commit(
            DatasetClient.Commit(
                branch: branch ?? copy.binding.branch,
                message: message,
                author: Environment.process["USER"] ?? Environment.process["LOGNAME"],
                base: force ? nil : copy.binding.version ?? 0,
                isWhole: changes.isWhole && !force
            ),
            changes.list
        )
        copy.binding.version = answer["version"]["version"].integer ?? copy.binding.version
        if let branch { copy.binding.branch = branch }
        try copy.save()
        try copy.save(changes.index)
        try copy.save(WorkingCopy.Staged())
        if output.json { return try session.say(json: answer) }
        try say(answer, copy.binding.dataset, changes, session)
    }

    /// Makes a branch at the version of the folder, unless there is one.
    private func begin(_ branch: String, at version: Int64, _ server: DatasetClient) async throws {
        let refs = try await server.client.send(APIRequest(.get, DatasetClient.path(server.dataset, "refs")))["refs"]
        guard !refs.elements.contains(where: { $0["name"].string == branch }) else { return }
        _ = try await server.client.send(
            APIRequest(
                .post,
                DatasetClient.path(server.dataset, "refs"),
                body: ["name": .string(branch), "kind": .string("branch"), "version": .string("v\(version)")]
            )
        )
    }

    private func workingCopy() throws -> WorkingCopy {
        guard LocalPath.isFolder(folder) else {
            throw CommandFailure("'\(folder)' is not a folder", hint: "A version is made of a folder and its files.")
        }
        if let known = try WorkingCopy(containing: folder) {
            guard dataset == nil || dataset == known.binding.dataset else {
                throw CommandFailure(
                    "'\(known.root)' is a working copy of '\(known.binding.dataset)', and not of '\(dataset ?? "")'",
                    hint: "Copy the folder without its '\(WorkingCopy.folderName)' to commit it elsewhere."
                )
            }
            return known
        }
        guard let dataset else {
            throw CommandFailure(
                "'\(folder)' is no working copy of a dataset",
                hint: "Name the dataset: apus data commit \(folder) --dataset wine"
            )
        }
        return try WorkingCopy(
            binding: WorkingCopy.Binding(dataset: dataset, branch: branch),
            at: try LocalPath.resolved(folder)
        )
    }

    private func say(_ answer: JSON, _ dataset: String, _ changes: CopyCommit.Changes, _ session: CommandSession) throws
    {
        let version = answer["version"]
        guard answer["is_new"] == .bool(true) else {
            return try session.note("The dataset has these files already, as v\(version["version"].integer ?? 0).")
        }
        try session.say("\(dataset)@v\(version["version"].integer ?? 0)")
        let files = NumberText.count(Int(clamping: version["files"].integer ?? 0), "file")
        try session.note(
            "\(changes.putCount) new or changed, \(changes.removedCount) removed; \(files) in all, "
                + "\(NumberText.bytes(version["bytes"].integer ?? 0))."
        )
    }
}
