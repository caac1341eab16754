import ApusCommand
import ApusKernel
import ArgumentParser

/// `apus data status`.
struct DataStatus: ParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "status",
        "Tell what has changed in a working copy.",
        discussion: "Files are read only if their times or sizes have changed.",
        examples: ["apus data status", "apus data status ./wine --json"]
    )

    @Argument(help: "A folder in the working copy.") var folder = "."
    @OptionGroup var output: OutputOptions

    func run() throws {
        guard let copy = try WorkingCopy(containing: folder) else {
            throw CommandFailure("'\(folder)' is no working copy of a dataset")
        }
        let index = copy.index()
        let scan = try FolderScan(copy.root)
        let changes = LocalChanges(scan.files, since: index)
        let staged = copy.staged()
        let isStaged = Set(staged.files.entries.map(\.file.path))
        var lines: [(state: String, path: FilePath)] = staged.files.entries.map { ("staged", $0.file.path) }
        lines += staged.removed.sorted().map { ("staged removal", $0) }
        var refreshed: [FileIndex.Entry] = []
        let now = SystemWallClock().milliseconds
        for file in changes.candidates where !isStaged.contains(file.path) {
            guard let known = index[file.path] else {
                lines.append(("new", file.path))
                continue
            }
            // One that was only touched is as it was.
            let contents = try LocalFiles.contents(of: file) { _ in }
            if contents.digest == known.file.digest, contents.stamp.isExecutable == known.file.isExecutable {
                refreshed.append(FileIndex.entry(known.file, contents.stamp, readAt: now))
            } else {
                lines.append(("changed", file.path))
            }
        }
        if !refreshed.isEmpty {
            var index = index
            index.update(refreshed, removing: [])
            try copy.save(index)
        }
        lines += changes.removed.filter { !staged.removed.contains($0) }.map { ("removed", $0) }
        let binding = copy.binding
        if output.json {
            let json: JSON = [
                "dataset": .string(binding.dataset), "branch": .optional(binding.branch),
                "version": binding.version.map(JSON.integer) ?? .null,
                "changes": .array(lines.map { ["path": .string($0.path.text), "state": .string($0.state)] }),
                "unchanged": .integer(Int64(changes.unchangedCount + refreshed.count)),
            ]
            return try StandardStream.output.write("\(json.withoutNulls.prettyText)\n")
        }
        let version = binding.version.map { "@v\($0)" } ?? ", not committed yet"
        let branch = binding.branch.map { " on branch \($0)" } ?? ""
        var text = "\(binding.dataset)\(version)\(branch)\n"
        for line in lines {
            let state = line.state + String(repeating: " ", count: max(0, 16 - line.state.count))
            text += "  \(state)\(PrintableText.line(line.path.text))\n"
        }
        text += lines.isEmpty ? "Nothing has changed.\n" : ""
        try StandardStream.output.write(text)
    }
}
