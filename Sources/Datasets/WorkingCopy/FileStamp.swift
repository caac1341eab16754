import Glibc

/// What tells one state of a local file from another: who changes a file changes its stamp.
struct FileStamp: Hashable, Sendable {
    var inode: UInt64
    var sizeBytes: Int64
    /// Of the last change of the content, in nanoseconds since the Unix epoch.
    var modified: Int64
    /// Of the last change of anything, in nanoseconds since the Unix epoch.
    var changed: Int64
    var isExecutable: Bool

    init(inode: UInt64, sizeBytes: Int64, modified: Int64, changed: Int64, isExecutable: Bool) {
        self.inode = inode
        self.sizeBytes = sizeBytes
        self.modified = modified
        self.changed = changed
        self.isExecutable = isExecutable
    }

    init(_ status: stat) {
        self.init(
            inode: UInt64(status.st_ino),
            sizeBytes: Int64(status.st_size),
            modified: Self.nanoseconds(status.st_mtim),
            changed: Self.nanoseconds(status.st_ctim),
            isExecutable: status.st_mode & S_IXUSR != 0
        )
    }

    /// The stamp of an open file.
    init?(of descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    /// The stamp of what is at a path, which is not followed if it is a link.
    init?(ofFile path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// Wraps around for times that no clock shows, where only equality matters.
    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
