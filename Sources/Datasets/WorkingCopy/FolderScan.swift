import ApusCommand
import Glibc

/// Looks at all files below a folder.
struct FolderScan {
    /// In the order of their paths.
    private(set) var files: [LocalFile] = []
    /// Links, devices, sockets and the like, which are no data.
    private(set) var leftOut: [String] = []

    private let root: String

    /// What is never data.
    private static let ignored: Set<String> = [WorkingCopy.folderName, ".git"]

    /// - Parameters:
    ///   - root: The folder that is the dataset's root.
    ///   - start: Where in it to begin; the root when nil.
    /// - Throws: ``CommandFailure`` for folders that cannot be read and names that no dataset can have.
    init(_ root: String, below start: FilePath? = nil) throws {
        self.root = root
        try scan(start?.text ?? "")
    }

    private mutating func scan(_ relative: String) throws {
        try Task.checkCancellation()
        let folder = relative.isEmpty ? root : "\(root)/\(relative)"
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (relative.isEmpty ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else { throw CommandFailure.file("read", folder) }
        guard let stream = fdopendir(descriptor) else {
            close(descriptor)
            throw CommandFailure.file("read", folder)
        }
        // Closes the descriptor too; entries are looked at below, while it is open.
        defer { closedir(stream) }
        for (name, isFolder) in try Self.entries(of: stream, folder, skipping: relative.isEmpty ? Self.ignored : []) {
            let path = relative.isEmpty ? name : "\(relative)/\(name)"
            if isFolder {
                try scan(path)
                continue
            }
            var status = stat()
            guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                // It went away meanwhile.
                if errno == ENOENT { continue }
                throw CommandFailure.file("read", "\(root)/\(path)")
            }
            guard status.st_mode & S_IFMT == S_IFREG else {
                leftOut.append(path)
                continue
            }
            guard let checked = try? FilePath(validating: path) else { throw Self.badName(path) }
            files.append(LocalFile(path: checked, localPath: "\(root)/\(path)", stamp: FileStamp(status)))
        }
    }

    /// The names in a folder in the order of paths, in which that of a folder ends with a slash.
    private static func entries(
        of stream: OpaquePointer,
        _ folder: String,
        skipping ignored: Set<String>
    ) throws -> [(name: String, isFolder: Bool)] {
        var found: [(name: String, isFolder: Bool)] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            guard let name else {
                throw CommandFailure(
                    "'\(folder)' has a file whose name is not in UTF-8",
                    hint: "Rename it, or move it elsewhere."
                )
            }
            guard name != ".", name != "..", !ignored.contains(name) else { continue }
            found.append((name, try isFolder(entry.pointee.d_type, stream, name)))
        }
        return found.map { (key: $0.isFolder ? "\($0.name)/" : $0.name, entry: $0) }
            .sorted { PathBytes.compare($0.key, nil, $1.key, nil) < 0 }
            .map(\.entry)
    }

    private static func isFolder(_ type: UInt8, _ stream: OpaquePointer, _ name: String) throws -> Bool {
        // Some file systems do not tell.
        guard Int(type) == DT_UNKNOWN else { return Int(type) == DT_DIR }
        var status = stat()
        return fstatat(dirfd(stream), name, &status, AT_SYMLINK_NOFOLLOW) == 0
            && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func badName(_ path: String) -> CommandFailure {
        CommandFailure(
            "'\(path)' is no name for a file of a dataset",
            hint:
                "Names have no '\\' and no control characters, at most \(FilePath.maximumSegmentBytes) bytes a segment "
                + "and \(FilePath.maximumBytes) in all. Rename the file, or move it elsewhere."
        )
    }
}
