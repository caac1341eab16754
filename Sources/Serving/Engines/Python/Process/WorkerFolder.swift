import ApusKernel
import CNIOLinux

#if canImport(Glibc)
    import Glibc
#endif

/// A private folder in which one worker works; removed when the worker ends.
struct WorkerFolder: Sendable {
    let path: String

    /// Makes one, and removes those of servers that are gone.
    ///
    /// - Throws: ``ServingError`` when it cannot be made.
    init(in parent: String) throws {
        try FileTree.makeFolder(parent)
        Self.sweep(parent)
        path = "\(parent)/\(getpid())-\(RandomIdentifiers().hex32())"
        try FileTree.makeFolder(path)
    }

    func remove() { FileTree.remove(path) }

    private static func sweep(_ parent: String) {
        for name in FileTree.names(in: parent) {
            guard let owner = name.split(separator: "-").first.flatMap({ pid_t($0) }), owner != getpid(), owner > 0,
                kill(owner, 0) != 0, errno == ESRCH
            else { continue }
            FileTree.remove("\(parent)/\(name)")
        }
    }
}

/// Folders on this machine.
enum FileTree {
    /// Makes a folder, and those above it that are missing, for their owner only.
    ///
    /// - Throws: ``ServingError`` with the system's reason.
    static func makeFolder(_ path: String) throws {
        var built = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            built += "/\(part)"
            guard mkdir(built, 0o700) == 0 || errno == EEXIST || errno == EROFS || errno == EACCES else {
                throw ServingError(
                    .invalidState,
                    "The folder '\(built)' cannot be made: \(String(cString: strerror(errno)))."
                )
            }
        }
        guard access(path, W_OK | X_OK) == 0 else {
            throw ServingError(
                .invalidState,
                "The folder '\(path)' cannot be written: \(String(cString: strerror(errno)))."
            )
        }
    }

    /// The names of what is in a folder; none when it cannot be read.
    static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Removes a file, or a folder with all that is in it; links are removed, not followed.
    static func remove(_ path: String) {
        var found = stat()
        guard lstat(path, &found) == 0 else { return }
        guard found.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        for name in names(in: path) { remove("\(path)/\(name)") }
        rmdir(path)
    }
}
