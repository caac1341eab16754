internal import ApusKernel
internal import Glibc
internal import Synchronization

/// The folder of a vault: where its files are, and how they come to be there for good.
///
/// `tmp` holds what is being written, `sha256/ab/cd/…` the blobs by their digest, `uploads` multipart uploads, `lock`
/// the lock between writers, which share it, and whoever removes blobs, which has it alone.
final class VaultFolder: Sendable {
    let root: FileHandle
    /// Whether files can be made without a name, so that a crash leaves nothing behind.
    let hasNamelessFiles: Bool
    private let state = Mutex(State())

    private struct State {
        /// The folders `sha256/ab/cd` that are known to be on disk, by the first two bytes of the digest.
        var durable: Set<UInt16> = []
        /// After a failed sync the kernel may have dropped what it could not write, so no later one can be trusted.
        var syncHasFailed = false
    }

    /// Makes the folder and those above it when they are missing, for the owner alone.
    init(path: String, allowNamelessFiles: Bool = true) throws {
        try Self.makeFolders(path)
        let descriptor = try system("open") { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        root = FileHandle(owning: descriptor)
        for name in ["tmp", "sha256", "uploads"] {
            _ = try Self.makeFolder(name, below: root)
        }
        try system("fsync") { fsync(descriptor) }
        hasNamelessFiles = allowNamelessFiles && Self.canLinkNamelessFiles(root)
    }

    /// The path of a blob below the root.
    static func path(of digest: Digest) -> String {
        let hex = digest.hex
        return "sha256/\(hex.prefix(2))/\(hex.dropFirst(2).prefix(2))/\(hex)"
    }

    /// The identity of a regular file, or nil when there is none.
    func identity(of path: String) throws -> FileIdentity? {
        var status = stat()
        guard fstatat(root.descriptor, path, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw VolumeError.of("fstatat", errno) }
            return nil
        }
        let identity = FileIdentity(status)
        return identity.isRegular ? identity : nil
    }

    /// Removes a file; true if there was one.
    @discardableResult
    func remove(_ path: String) throws -> Bool {
        guard unlinkat(root.descriptor, path, 0) != 0 else { return true }
        guard errno == ENOENT else { throw VolumeError.of("unlinkat", errno) }
        return false
    }

    /// Makes the folder of a blob for good.
    func makeFolder(of digest: Digest) throws {
        let prefix = digest.prefix
        guard !state.withLock({ $0.durable.contains(prefix) }) else { return }
        let hex = digest.hex
        let outer = "sha256/\(hex.prefix(2))"
        _ = try Self.makeFolder(outer, below: root)
        _ = try Self.makeFolder("\(outer)/\(hex.dropFirst(2).prefix(2))", below: root)
        // Even when another writer made them: it may not have got as far as the disk.
        try syncFolder(outer)
        try syncFolder("sha256")
        state.withLock { _ = $0.durable.insert(prefix) }
    }

    /// Forgets that the folder of a blob exists, after it turned out to be gone.
    func forgetFolder(of digest: Digest) {
        state.withLock { _ = $0.durable.remove(digest.prefix) }
    }

    /// Makes one folder below the root; false if it was there.
    @discardableResult
    func makeFolder(_ path: String) throws -> Bool {
        try Self.makeFolder(path, below: root)
    }

    /// Makes what a folder says about its files durable.
    func syncFolder(_ path: String) throws {
        guard let folder = try FileHandle(below: root, path: path, flags: O_RDONLY | O_DIRECTORY) else {
            throw VolumeError(operation: "openat \(path)", code: ENOENT)
        }
        try sync(folder, dataOnly: false)
    }

    /// Makes a file durable, or refuses all writes from then on.
    func sync(_ file: FileHandle, dataOnly: Bool) throws {
        let result = dataOnly ? fdatasync(file.descriptor) : fsync(file.descriptor)
        guard result != 0 else { return }
        let code = errno
        guard code != ENOSPC, code != EDQUOT else { throw VolumeError.noSpace }
        state.withLock { $0.syncHasFailed = true }
        throw VolumeError.syncFailed
    }

    /// Throws when an earlier sync has failed.
    func checkWritable() throws {
        if state.withLock({ $0.syncHasFailed }) { throw VolumeError.syncFailed }
    }

    /// Runs `body` while no blob can be removed, by this process or another.
    func whileNothingIsRemoved<Result>(_ body: () throws -> Result) throws -> Result {
        try withLock(LOCK_SH, body)
    }

    /// Runs `body` while no blob can be added or touched, by this process or another.
    func whileNothingIsAdded<Result>(_ body: () throws -> Result) throws -> Result {
        try withLock(LOCK_EX, body)
    }

    private func withLock<Result>(_ mode: Int32, _ body: () throws -> Result) throws -> Result {
        // Each holder opens the file anew: a lock belongs to an open file, and threads would share one.
        guard let file = try FileHandle(below: root, path: "lock", flags: O_RDWR | O_CREAT, mode: 0o600) else {
            throw VolumeError(operation: "openat lock", code: ENOENT)
        }
        try system("flock") { flock(file.descriptor, mode) }
        // Closing the file gives the lock back.
        return try withExtendedLifetime(file) { try body() }
    }

    private static func makeFolder(_ path: String, below root: FileHandle) throws -> Bool {
        guard mkdirat(root.descriptor, path, 0o700) != 0 else { return true }
        guard errno == EEXIST else { throw VolumeError.of("mkdirat", errno) }
        return false
    }

    private static func makeFolders(_ path: String) throws {
        var end = path.startIndex
        while end < path.endIndex {
            end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
            let part = String(path[..<end])
            if mkdir(part, 0o700) != 0, errno != EEXIST { throw VolumeError.of("mkdir", errno) }
        }
    }

    /// Tries it, because file systems and containers differ: some have no `O_TMPFILE`, some no `/proc`.
    private static func canLinkNamelessFiles(_ root: FileHandle) -> Bool {
        guard let file = try? TemporaryFile.openNameless(root) else { return false }
        let name = TemporaryFile.freshName()
        guard TemporaryFile.link(file, to: name, below: root) == 0 else { return false }
        unlinkat(root.descriptor, name, 0)
        return true
    }
}
