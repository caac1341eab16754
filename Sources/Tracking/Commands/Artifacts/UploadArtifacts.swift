import ApusCommand
import ArgumentParser

/// `apus artifacts upload`.
struct UploadArtifacts: APICommand {
    static let configuration = CommandConfiguration.apus(
        "upload",
        "Upload files and folders to a run.",
        discussion: "A file of the same name is replaced. A folder is uploaded with its name.",
        examples: [
            "apus artifacts upload 5fd979bc857743349850c983f2dd3348 report.html",
            "apus artifacts upload 5fd979bc857743349850c983f2dd3348 ./plots notes.txt --to evaluation",
        ]
    )

    @Argument(help: "Id of the run.") var run: String
    @Argument(help: ArgumentHelp("Local files and folders.", valueName: "file"), completion: .file()) var files:
        [String]
    @Option(help: ArgumentHelp("A folder of the run to put them in.", valueName: "path")) var to = ""
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let plan = try plan()
        let artifacts = RunArtifacts(client: session.client, run: run)
        let store = try await artifacts.storePath()
        let progress = Progress(session.terminal)
        defer { progress.end() }
        var total: Int64 = 0
        for (local, remote) in plan {
            let chunks = try FileChunks(path: local, progress: progress)
            progress.begin(remote, total: chunks.count)
            try await session.client.upload(
                chunks,
                count: chunks.count,
                to: artifacts.request(.put, remote, in: store)
            )
            total += chunks.count
        }
        progress.end()
        try session.note("\(NumberText.count(plan.count, "file")) uploaded, \(NumberText.bytes(total)).")
    }

    /// What goes where; everything is looked at before the first byte is sent.
    private func plan() throws -> [(local: String, remote: String)] {
        let folder = to.split(separator: "/").map { "\($0)/" }.joined()
        var plan: [(local: String, remote: String)] = []
        for file in files {
            if LocalPath.isFolder(file) {
                // `.` and `..` have no name of their own, so that their files go directly to the destination.
                let name = LocalPath.name(file).map { "\($0)/" } ?? ""
                plan += try LocalPath.files(below: file).map { ("\(file)/\($0)", "\(folder)\(name)\($0)") }
            } else {
                guard let name = LocalPath.name(file) else { throw CommandFailure("'\(file)' is not a file") }
                plan.append((file, folder + name))
            }
        }
        if plan.isEmpty { throw CommandFailure("there are no files in '\(files.joined(separator: "', '"))'") }
        return plan
    }
}
