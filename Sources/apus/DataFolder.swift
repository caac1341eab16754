import ApusKernel
import CApusSystem

#if canImport(Glibc)
    import Glibc
#endif

/// The folder that holds a server's data, and the lock that keeps a second server out of it.
struct DataFolder {
    let path: String

    /// Makes the folder, readable by its owner only.
    static func make(_ path: String) throws -> DataFolder {
        var built = ""
        for segment in path.split(separator: "/") {
            built += "/\(segment)"
            guard mkdir(built, 0o700) == 0 || errno == EEXIST || errno == EROFS || errno == EACCES else {
                throw RequestError(.temporarilyUnavailable, "The folder '\(built)' cannot be made: \(reason()).")
            }
        }
        guard access(path, W_OK | X_OK) == 0 else {
            throw RequestError(.temporarilyUnavailable, "The folder '\(path)' cannot be written to: \(reason()).")
        }
        try refuseNetworkFileSystem(path)
        return DataFolder(path: path)
    }

    /// Holds the folder until the process ends.
    ///
    /// - Throws: `TEMPORARILY_UNAVAILABLE` while another process holds it.
    func lock() throws {
        let descriptor = open("\(path)/apus.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw RequestError(.temporarilyUnavailable, "'\(path)/apus.lock' cannot be opened: \(Self.reason()).")
        }
        // The descriptor stays open on purpose: the kernel frees the lock when the process ends, however it ends.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw RequestError(
                .temporarilyUnavailable,
                "Another server uses '\(path)'. Stop it, or choose another folder with --data-dir."
            )
        }
    }

    private static func reason() -> String { String(cString: strerror(errno)) }

    /// SQLite's locks and the order of writes cannot be relied on there.
    private static func refuseNetworkFileSystem(_ path: String) throws {
        // NFS, SMB, CIFS and SMB2, from statfs(2).
        guard [0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42].contains(apus_file_system_type(path)) else { return }
        throw RequestError(
            .temporarilyUnavailable,
            "'\(path)' is on a network file system, which cannot keep acknowledged writes safe. Use a local disk."
        )
    }
}
