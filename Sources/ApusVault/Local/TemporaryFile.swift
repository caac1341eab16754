internal import ApusKernel
internal import Glibc

/// A file that is being written and gets its place at the end; without one it is gone.
///
/// Where the file system allows it the file has no name meanwhile. Elsewhere it has one in `tmp` and is locked, by which
/// another process knows that its writer lives.
final class TemporaryFile {
    let handle: FileHandle
    private let folder: VaultFolder
    /// Its path in `tmp`, until it is placed.
    private var name: String?

    init(in folder: VaultFolder) throws {
        self.folder = folder
        if folder.hasNamelessFiles {
            handle = try Self.openNameless(folder.root)
        } else {
            let path = Self.freshName()
            // Whoever clears `tmp` waits for the lock to be taken.
            handle = try folder.whileNothingIsRemoved { try Self.openLocked(path, below: folder.root) }
            name = path
        }
    }

    deinit {
        if let name { unlinkat(folder.root.descriptor, name, 0) }
    }

    /// Gives the file its path, unless there is a file already.
    ///
    /// - Returns: Whether the path is this file's.
    func place(at path: String) throws -> Bool {
        guard let name else { return try placeByLink(Self.link(handle, to: path, below: folder.root)) }
        let root = folder.root.descriptor
        let result = linkat(root, name, root, path, 0)
        if result != 0, errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK {
            // No hard links here. Two that find no file both rename; their contents are the same.
            if try folder.identity(of: path) != nil { return false }
            try replace(path)
            return true
        }
        return try placeByLink(result)
    }

    /// Gives the file its path, in place of a file that is there already.
    func replace(_ path: String) throws {
        let root = folder.root.descriptor
        let source = name ?? Self.freshName()
        if name == nil {
            try system("linkat") { Self.link(handle, to: source, below: folder.root) }
            name = source
        }
        try system("renameat") { renameat(root, source, root, path) }
        name = nil
    }

    private func placeByLink(_ result: Int32) throws -> Bool {
        guard result != 0 else { return true }
        guard errno == EEXIST else { throw VolumeError.of("linkat", errno) }
        return false
    }

    /// A new path in `tmp`.
    static func freshName() -> String {
        "tmp/\(namePrefix)\(RandomIdentifiers().hex32())"
    }

    /// Opens a file below `root` that has no name.
    static func openNameless(_ root: FileHandle) throws -> FileHandle {
        // The macro O_TMPFILE is not visible from Swift; the bit is the same on all Linux machines we build for.
        let nameless: Int32 = 0o20000000 | O_DIRECTORY
        let descriptor = try system("openat") { openat(root.descriptor, "tmp", nameless | O_RDWR | O_CLOEXEC, 0o400) }
        return FileHandle(owning: descriptor)
    }

    /// Gives a file without a name its first; the result is that of `linkat`.
    static func link(_ file: FileHandle, to path: String, below root: FileHandle) -> Int32 {
        linkat(AT_FDCWD, "/proc/self/fd/\(file.descriptor)", root.descriptor, path, AT_SYMLINK_FOLLOW)
    }

    private static func openLocked(_ path: String, below root: FileHandle) throws -> FileHandle {
        let flags = O_RDWR | O_CREAT | O_EXCL
        guard let file = try FileHandle(below: root, path: path, flags: flags, mode: 0o600) else {
            throw VolumeError(operation: "openat tmp", code: ENOENT)
        }
        try system("flock") { flock(file.descriptor, LOCK_EX) }
        return file
    }

    private static let namePrefix = "apus-"

    /// Removes what writers that died have left in `tmp`: regular files with our names that nobody has locked.
    ///
    /// - Returns: The number of files.
    static func removeLeftovers(in folder: VaultFolder) throws -> Int {
        try folder.whileNothingIsAdded {
            var removed = 0
            for name in try folder.names(in: "tmp") where isOurs(name) {
                let path = "tmp/\(name)"
                guard try folder.identity(of: path) != nil,
                    let file = try FileHandle(below: folder.root, path: path, flags: O_RDONLY),
                    flock(file.descriptor, LOCK_EX | LOCK_NB) == 0
                else { continue }
                if try folder.remove(path) { removed += 1 }
            }
            return removed
        }
    }

    private static func isOurs(_ name: String) -> Bool {
        let digits = name.utf8.dropFirst(namePrefix.utf8.count)
        return name.hasPrefix(namePrefix) && digits.count == 32
            && digits.allSatisfy { Hexadecimal.value(of: $0) != nil }
    }
}
