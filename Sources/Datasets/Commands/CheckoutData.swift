import ApusCommand
import ArgumentParser

/// `apus data checkout`.
struct CheckoutData: APICommand {
    static let configuration = CommandConfiguration.apus(
        "checkout",
        "Bring the files of a version into a folder.",
        discussion: """
            The folder becomes a working copy, or is changed from one version to another: what is right already is not \
            fetched again, what the version has not is removed. Files that no version knows are left alone, and changes \
            that were not committed are never lost unless --force is given. Every file is checked as it arrives. In a run, which MLFLOW_RUN_ID names, the \
            version is noted as read by it.
            """,
        examples: [
            "apus data checkout wine", "apus data checkout wine@v3 ./wine-3",
            "apus data checkout wine@blessed /srv/wine --force",
        ]
    )

    @Argument(help: "wine, wine@v3, wine@main or wine@blessed.") var dataset: DatasetAddress
    @Argument(help: "The folder, made if it is missing; the dataset's name when left out.") var folder: String?
    @Flag(help: "Overwrite changes that were not committed, and files that are in the way.") var force = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let version = try await dataset.version(session.client)
        guard let number = version["version"].integer else { throw CommandFailure("the server names no version") }
        let server = DatasetClient(client: session.client, dataset: dataset.name)
        let files = try await server.files(of: number)
        let branch = try await branch(session.client)
        var copy = try workingCopy()
        let report = try await DatasetCheckout(
            server: server,
            progress: Progress(session.terminal),
            mayOverwrite: force
        ).run(files, of: number, in: copy)
        copy.binding = WorkingCopy.Binding(dataset: dataset.name, branch: branch, version: number)
        try copy.save()
        try copy.save(WorkingCopy.Staged())
        do {
            try await server.recordRead(of: number)
        } catch let failure as CommandFailure {
            // The files are there; the run may be one of another server.
            try session.note("The run was not noted as a reader: \(failure.message).")
        }
        if output.json {
            return try session.say(json: [
                "version": version, "folder": .string(copy.root), "written": .integer(Int64(report.written)),
                "written_bytes": .integer(report.writtenBytes), "removed": .integer(Int64(report.removed)),
                "kept": .integer(Int64(report.kept)),
            ])
        }
        try session.note(
            "\(dataset.name)@v\(number) is in '\(copy.root)': \(report.written) written "
                + "(\(NumberText.bytes(report.writtenBytes))), \(report.removed) removed, \(report.kept) kept."
        )
    }

    /// The branch that was named; nil for a tag, a number or an identifier.
    private func branch(_ client: APIClient) async throws -> String? {
        guard let reference = dataset.reference else {
            return try await client.send(APIRequest(.get, DatasetClient.path(dataset.name)))["default_branch"].string
        }
        let refs = try await client.send(APIRequest(.get, DatasetClient.path(dataset.name, "refs")))["refs"].elements
        return refs.contains { $0["name"].string == reference && $0["kind"].string == "branch" } ? reference : nil
    }

    private func workingCopy() throws -> WorkingCopy {
        let folder = folder ?? dataset.name
        try LocalPath.makeFolders([], below: folder)
        if let known = try WorkingCopy(containing: folder) {
            let root = try LocalPath.resolved(folder)
            guard known.root == root else {
                throw CommandFailure(
                    "'\(folder)' lies in the working copy '\(known.root)'",
                    hint: "Name another folder."
                )
            }
            guard known.binding.dataset == dataset.name else {
                throw CommandFailure("'\(folder)' is a working copy of '\(known.binding.dataset)'")
            }
            return known
        }
        return try WorkingCopy(
            binding: WorkingCopy.Binding(dataset: dataset.name),
            at: try LocalPath.resolved(folder)
        )
    }
}
