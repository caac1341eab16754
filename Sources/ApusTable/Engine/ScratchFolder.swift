#if canImport(Glibc)
    import Glibc
#endif

/// A private folder for one query, removed when nobody holds it any more.
final class ScratchFolder: Sendable {
    let path: String

    /// Makes one in an existing folder, and removes those of processes that are gone.
    ///
    /// - Throws: ``TableError`` `unreadable` when it cannot be made.
    init(in parent: String) throws(TableError) {
        Self.sweep(parent)
        var template = Array("\(parent)/\(Self.prefix)\(getpid())-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil, let path = realpath(template, nil) else {
            let reason = String(cString: strerror(errno))
            throw TableError(.unreadable, "No scratch folder can be made for a query: \(reason).")
        }
        defer { free(path) }
        self.path = String(cString: path)
    }

    deinit { Self.remove(path) }

    private static let prefix = "query-"

    private static func sweep(_ parent: String) {
        for name in names(in: parent) where name.hasPrefix(prefix) {
            guard let owner = name.dropFirst(prefix.count).split(separator: "-").first.flatMap({ pid_t($0) }),
                owner != getpid(), owner > 0, kill(owner, 0) != 0, errno == ESRCH
            else { continue }
            remove("\(parent)/\(name)")
        }
    }

    private static func names(in folder: String) -> [String] {
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
    private static func remove(_ path: String) {
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
