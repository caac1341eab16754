import ApusCommand
import ApusKernel
import ApusVault
import Glibc

/// A folder whose files are those of a dataset's version, and the changes that were made since.
///
/// What is known of it lies in its folder `.apus`: which dataset, branch and version it is of, an index of its files, and
/// what was staged for the next version.
struct WorkingCopy {
    /// The folder in a working copy that is ours.
    static let folderName = ".apus"

    /// What a working copy is of.
    struct Binding: Equatable {
        var dataset: String
        /// The branch that a commit goes to; nil for a version that was checked out by another name.
        var branch: String?
        /// The version that the files come from; nil before the first.
        var version: Int64?
    }

    /// The dataset's root on this machine.
    let root: String
    var binding: Binding

    private var folder: String { "\(root)/\(Self.folderName)" }
    private var indexPath: String { "\(folder)/index" }
    private var bindingPath: String { "\(folder)/dataset.json" }
    private var stagedPath: String { "\(folder)/staged" }

    /// Makes a folder a working copy.
    ///
    /// - Throws: ``CommandFailure``.
    init(binding: Binding, at root: String) throws {
        self.root = root
        self.binding = binding
        try LocalPath.makeFolders([Self.folderName], below: root)
        try save()
    }

    /// The working copy that a file or folder belongs to; nil when none of those above it is one.
    ///
    /// - Throws: ``CommandFailure`` when what is known of it cannot be read.
    init?(containing path: String) throws {
        var candidate = try LocalPath.resolved(path)
        while true {
            let place = "\(candidate)/\(Self.folderName)/dataset.json"
            if let bytes = LocalFiles.read(place) {
                root = candidate
                binding = try Self.read(bytes, place)
                return
            }
            guard let slash = candidate.lastIndex(of: "/"), candidate != "/" else { return nil }
            candidate = String(candidate[..<slash])
        }
    }

    private static func read(_ bytes: [UInt8], _ place: String) throws -> Binding {
        guard let json = try? JSON(parsing: bytes), let dataset = json["dataset"].string else {
            throw CommandFailure("'\(place)' is damaged", hint: "Remove it, and check the dataset out again.")
        }
        return Binding(dataset: dataset, branch: json["branch"].string, version: json["version"].integer)
    }

    /// Remembers what the working copy is of.
    func save() throws {
        let json: JSON = [
            "dataset": .string(binding.dataset), "branch": .optional(binding.branch),
            "version": binding.version.map(JSON.integer) ?? .null,
        ]
        try LocalFiles.replace(bindingPath, with: Array("\(json.withoutNulls.prettyText)\n".utf8))
    }

    // MARK: Index

    func index() -> FileIndex { FileIndex(contentsOf: indexPath) }

    func save(_ index: FileIndex) throws { try index.write(to: indexPath) }

    // MARK: Staged

    /// What waits for the next commit: files with the stamps they had, and paths that are gone.
    struct Staged {
        var files: FileIndex = FileIndex()
        var removed: Set<FilePath> = []

        var isEmpty: Bool { files.entries.isEmpty && removed.isEmpty }
    }

    func staged() -> Staged {
        let removed = LocalFiles.read("\(stagedPath).removed").map { bytes in
            bytes.split(separator: 0).compactMap { try? FilePath(validating: String(decoding: $0, as: UTF8.self)) }
        }
        return Staged(files: FileIndex(contentsOf: stagedPath), removed: Set(removed ?? []))
    }

    func save(_ staged: Staged) throws {
        guard !staged.isEmpty else {
            unlink(stagedPath)
            unlink("\(stagedPath).removed")
            return
        }
        try staged.files.write(to: stagedPath)
        var removed: [UInt8] = []
        for path in staged.removed.sorted() { removed += Array(path.text.utf8) + [0] }
        try LocalFiles.replace("\(stagedPath).removed", with: removed)
    }

    // MARK: Paths

    /// The path in the dataset of a file or folder of this machine, which need not be there; nil for the root itself.
    ///
    /// - Throws: ``CommandFailure`` when it lies elsewhere.
    func path(of local: String) throws -> FilePath? {
        let parts = local.split(separator: "/").map(String.init)
        let parent = local.hasPrefix("/") ? "/" + parts.dropLast().joined(separator: "/") : nil
        let folder = parent ?? (parts.count > 1 ? parts.dropLast().joined(separator: "/") : ".")
        let name = parts.last ?? "."
        // What is removed has no real path of its own, but its folder has.
        let whole = realpath(local, nil) ?? realpath(folder, nil)
        guard let whole else { throw CommandFailure.file("find", local) }
        defer { free(whole) }
        var resolved = String(cString: whole)
        if access(local, F_OK) != 0 { resolved += "/\(name)" }
        if resolved == root { return nil }
        guard resolved.hasPrefix(root == "/" ? "/" : "\(root)/") else {
            throw CommandFailure("'\(local)' is not in the working copy '\(root)'")
        }
        let relative = String(resolved.dropFirst(root == "/" ? 1 : root.count + 1))
        guard let path = try? FilePath(validating: relative) else {
            throw CommandFailure("'\(relative)' is no name for a file of a dataset")
        }
        return path
    }
}
