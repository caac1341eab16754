import ApusCommand
import ArgumentParser
import Glibc

/// `apus data add`.
struct AddData: APICommand {
    static let configuration = CommandConfiguration.apus(
        "add",
        "Stage files of a working copy for the next commit.",
        discussion: """
            What has changed at these paths is read and sent now, and committed by the next `apus data commit`, which \
            then looks at nothing else: the way to commit some changes of many, and one file of millions. A path that is \
            gone is staged as removed.
            """,
        examples: ["apus data add raw/tuesday.csv", "apus data add images/2026 labels.json"]
    )

    @Argument(help: "Files and folders of the working copy.") var paths: [String]
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard !paths.isEmpty else { throw ValidationError("Name the files to stage.") }
    }

    func run(in session: CommandSession) async throws {
        guard let copy = try WorkingCopy(containing: ".") else {
            throw CommandFailure(
                "this folder is no working copy of a dataset",
                hint: "Make it one: apus data commit . --dataset wine"
            )
        }
        let index = copy.index()
        var candidates: Set<LocalFile> = []
        var removed: Set<FilePath> = []
        for local in paths {
            let path = try copy.path(of: local)
            let (files, gone) = try Self.changes(path, copy, index)
            guard !files.isEmpty || !gone.isEmpty || access(local, F_OK) == 0 else {
                throw CommandFailure("there is no '\(local)', here or in v\(copy.binding.version ?? 0)")
            }
            candidates.formUnion(files)
            removed.formUnion(gone)
        }
        let changes = try await CopyCommit(copy: copy, session: session).changes(
            candidates.sorted { $0.path < $1.path },
            removed.sorted(),
            index
        )
        var staged = copy.staged()
        let touched = Set(candidates.map(\.path))
        let entries = changes.index.entries.filter { touched.contains($0.file.path) }
        let different = entries.filter { index[$0.file.path]?.file != $0.file }
        staged.files.update(different, removing: removed.union(touched.subtracting(different.map(\.file.path))))
        staged.removed = staged.removed.subtracting(touched).union(removed)
        try copy.save(staged)
        if output.json {
            return try session.say(
                json: ["staged": .integer(Int64(different.count)), "removed": .integer(Int64(removed.count))]
            )
        }
        try session.note("\(different.count) new or changed, \(removed.count) removed are staged.")
    }

    /// What has changed at a path: files to read, and paths that are gone.
    private static func changes(
        _ path: FilePath?,
        _ copy: WorkingCopy,
        _ index: FileIndex
    ) throws -> ([LocalFile], [FilePath]) {
        let local = path.map { "\(copy.root)/\($0)" } ?? copy.root
        var status = stat()
        guard lstat(local, &status) == 0 else {
            // Gone: a file, or a folder with all that was in it.
            let gone = index.entries.map(\.file.path).filter { known in
                path.map { known == $0 || known.isBelow($0) } ?? true
            }
            return ([], gone)
        }
        if let path, status.st_mode & S_IFMT == S_IFREG {
            let file = LocalFile(path: path, localPath: local, stamp: FileStamp(status))
            let known = index[path]
            return (known?.isSettled == true && known?.stamp == file.stamp ? [] : [file], [])
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw CommandFailure("'\(local)' is no file and no folder") }
        let found = LocalChanges(try FolderScan(copy.root, below: path).files, since: index, below: path)
        return (found.candidates, found.removed)
    }
}
