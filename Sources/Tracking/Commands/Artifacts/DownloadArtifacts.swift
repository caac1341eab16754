import ApusCommand
import ArgumentParser
import AsyncHTTPClient
import NIOCore

/// `apus artifacts download`.
struct DownloadArtifacts: APICommand {
    static let configuration = CommandConfiguration.apus(
        "download",
        "Download a file or a folder of a run.",
        discussion: "A file appears when all of it has arrived. Files that exist are not replaced unless told so.",
        examples: [
            "apus artifacts download 5fd979bc857743349850c983f2dd3348 model --to ./downloaded",
            "apus artifacts download 5fd979bc857743349850c983f2dd3348 model/MLmodel --force",
        ]
    )

    @Argument(help: "Id of the run.") var run: String
    @Argument(help: "A file or a folder; all files when left out.") var path = ""
    @Option(help: ArgumentHelp("The local folder to put them in; made if it is missing.", valueName: "folder"))
    var to = "."
    @Flag(help: "Replace files that exist.") var force = false
    @OptionGroup var connection: ConnectionOptions

    func run(in session: CommandSession) async throws {
        let artifacts = RunArtifacts(client: session.client, run: run)
        let base = path.split(separator: "/").joined(separator: "/")
        let listed = try await artifacts.list(base, isRecursive: true)
        // The listing of a file is empty, so that it is asked for as it was named.
        let files = listed.isEmpty && !base.isEmpty ? [.init(path: base, isFolder: false, sizeBytes: nil)] : listed
        if files.isEmpty { throw CommandFailure("the run has no artifacts") }
        let progress = Progress(session.terminal)
        defer { progress.end() }
        var total: Int64 = 0
        for file in files {
            total += try await fetch(file.path, below: base, artifacts, progress)
        }
        progress.end()
        try session.note("\(NumberText.count(files.count, "file")) downloaded to '\(to)', \(NumberText.bytes(total)).")
    }

    /// Downloads one file and tells its size in bytes.
    private func fetch(
        _ remote: String,
        below base: String,
        _ artifacts: RunArtifacts,
        _ progress: Progress
    ) async throws -> Int64 {
        let segments = try Self.localSegments(of: remote, below: base)
        let (expected, body) = try await artifacts.client.download(artifacts.download(remote))
        try LocalPath.makeFolders(segments.dropLast(), below: to)
        progress.begin(remote, total: expected)
        var sink = try FileSink(path: ([to] + segments).joined(separator: "/"), replaces: force)
        do {
            for try await buffer in body {
                try sink.write(buffer)
                progress.advance(bytes: Int64(buffer.readableBytes))
            }
        } catch {
            throw artifacts.client.explain(error)
        }
        let count = sink.count
        guard expected == nil || expected == count else {
            throw CommandFailure("'\(remote)' arrived with \(count) bytes instead of \(expected ?? 0)")
        }
        try sink.finish()
        return count
    }

    /// Where a file goes: the last part of what was asked for stays, what is above it does not.
    static func localSegments(of remote: String, below base: String) throws -> [String] {
        let segments = try LocalPath.segments(ofRemote: remote)
        let above = base.split(separator: "/").count - 1
        guard above > 0 else { return segments }
        guard segments.count > above else {
            throw CommandFailure("the server names a file '\(remote)' that was not asked for")
        }
        return Array(segments.dropFirst(above))
    }
}
