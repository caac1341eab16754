import ApusKernel
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#endif

/// A folder on the client in which an import gathers what it brings, and finds it again after an interruption.
///
/// Only its owner can read it, and one import at a time works in it.
package final class StagingFolder: Sendable {
    package let path: String
    /// Holds the lock.
    private let descriptor: Int32

    /// Opens a folder, which is made with those above it when it is missing.
    ///
    /// - Throws: ``ConnectorError``, also when another import works in it.
    package init(_ path: String) throws {
        self.path = path
        try Self.makeFolders(path)
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw ConnectorError.file("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ConnectorError("Another import of the same sources works in '\(path)'.", code: .resourceConflict)
        }
    }

    deinit {
        // A process that was just begun may hold a copy of the descriptor for a moment.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// The place of something of ours; the name has only letters, digits, `-`, `.` and `_`.
    func place(_ name: String) -> String { "\(path)/\(name)" }

    /// A folder for the files of one source; `isFresh` empties it.
    func folder(_ name: String, isFresh: Bool) throws -> String {
        let folder = place(name)
        if isFresh { Self.removeTree(folder) }
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw ConnectorError.file("make", folder) }
        return folder
    }

    /// Writes a small file so that it is there whole or not at all.
    func write(_ bytes: [UInt8], to name: String) throws {
        let (fresh, final) = (place("\(name).new"), place(name))
        let file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ConnectorError.file("write", fresh) }
        defer { close(file) }
        try Self.write(bytes, to: file, fresh)
        guard fsync(file) == 0, rename(fresh, final) == 0 else { throw ConnectorError.file("write", final) }
    }

    /// Appends all bytes to an open file.
    static func write(_ bytes: [UInt8], to file: Int32, _ path: String) throws {
        try bytes.withUnsafeBytes { try write($0, to: file, path) }
    }

    static func write(_ bytes: UnsafeRawBufferPointer, to file: Int32, _ path: String) throws {
        var rest = bytes
        while !rest.isEmpty {
            let written = Glibc.write(file, rest.baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw ConnectorError.file("write", path) }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        }
    }

    /// Removes the folder with all that is in it, after what it holds was committed.
    package func remove() {
        Self.removeTree(path)
    }

    private static func makeFolders(_ path: String) throws {
        var made = path.hasPrefix("/") ? "" : "."
        for segment in path.split(separator: "/") {
            made += "/\(segment)"
            var status = stat()
            if stat(made, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { continue }
            guard mkdir(made, 0o700) == 0 || errno == EEXIST else { throw ConnectorError.file("make", made) }
        }
    }

    /// Removes a file or a folder, if there is one; symbolic links are removed, not followed.
    private static func removeTree(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }
}
