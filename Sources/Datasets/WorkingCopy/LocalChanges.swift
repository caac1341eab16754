/// What has changed in a working copy since its version: what to read, and what is gone.
struct LocalChanges {
    /// New files, and those whose stamps tell that they may have changed.
    private(set) var candidates: [LocalFile] = []
    /// Paths that the version has and the folder has not.
    private(set) var removed: [FilePath] = []
    /// The number of files that are as they were.
    private(set) var unchangedCount = 0

    /// Compares files with an index; both are in the order of their paths.
    ///
    /// Below `directory` only, if there is one.
    init(_ files: [LocalFile], since index: FileIndex, below directory: FilePath? = nil) {
        var known = index.entries[...]
        for file in files {
            while let entry = known.first, entry.file.path < file.path {
                remove(entry.file.path, below: directory)
                known.removeFirst()
            }
            if let entry = known.first, entry.file.path == file.path {
                known.removeFirst()
                if entry.isSettled, entry.stamp == file.stamp {
                    unchangedCount += 1
                    continue
                }
            }
            candidates.append(file)
        }
        for entry in known { remove(entry.file.path, below: directory) }
    }

    private mutating func remove(_ path: FilePath, below directory: FilePath?) {
        if directory.map({ path.isBelow($0) || path == $0 }) ?? true { removed.append(path) }
    }
}
