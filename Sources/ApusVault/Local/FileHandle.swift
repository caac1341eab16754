internal import Glibc

/// An open file or folder that is closed with its last owner.
final class FileHandle: Sendable {
    let descriptor: Int32

    init(owning descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Opens a path below `folder` without following a symbolic link in its last part; nil when there is none.
    convenience init?(below folder: FileHandle, path: String, flags: Int32, mode: mode_t = 0) throws {
        while true {
            let descriptor = openat(folder.descriptor, path, flags | O_CLOEXEC | O_NOFOLLOW, mode)
            if descriptor >= 0 {
                self.init(owning: descriptor)
                return
            }
            if errno == ENOENT { return nil }
            if errno != EINTR { throw VolumeError.of("openat", errno) }
        }
    }

    deinit {
        close(descriptor)
    }

    /// What the file is now.
    func identity() throws -> FileIdentity {
        var status = stat()
        try system("fstat") { fstat(descriptor, &status) }
        return FileIdentity(status)
    }

    /// Reads up to `count` bytes at `offset`; 0 at the end of the file.
    func read(into target: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        var done = 0
        while done < target.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
            let count = try system("pread") {
                pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Writes all bytes at the file's position.
    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            done += try system("write") { Glibc.write(descriptor, rest.baseAddress, rest.count) }
        }
    }
}

/// What tells one state of a file from another: a file that was changed has another identity.
struct FileIdentity: Hashable, Sendable {
    let inode: UInt64
    let sizeBytes: Int64
    let modifiedNanoseconds: Int64
    let changedNanoseconds: Int64
    let isRegular: Bool

    init(_ status: stat) {
        inode = UInt64(status.st_ino)
        sizeBytes = Int64(status.st_size)
        modifiedNanoseconds = Self.nanoseconds(status.st_mtim)
        changedNanoseconds = Self.nanoseconds(status.st_ctim)
        isRegular = (status.st_mode & S_IFMT) == S_IFREG
    }

    var modifiedMilliseconds: Int64 { modifiedNanoseconds / 1_000_000 }

    /// Wraps around for times that no clock shows, where only equality matters.
    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
