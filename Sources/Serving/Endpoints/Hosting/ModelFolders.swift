import ApusKernel
package import ApusVault
import Crypto
import FoundationEssentials
import NIOCore
import Synchronization
import Tracking

#if canImport(Glibc)
    import Glibc
#endif

/// Brings the files of model versions to this machine's file system, where engines can load them.
package protocol ModelFiles: Sendable {
    /// The folder with the files at a location of this server's own tree.
    ///
    /// `known`: What an earlier call returned for it; taken if it is still there.
    /// - Returns: The folder's name for later calls, and its path.
    /// - Throws: ``ServingError`` when there are no files, or what reading them throws.
    func folder(of location: String, known: String?) async throws -> (name: String, path: String)

    /// Removes the folders that are neither named here nor being made.
    func clean(keeping names: Set<String>) async
}

/// Copies of files from the Vault, in folders that are named after their content.
///
/// A copy is made once for each content, checked against its digests on the way, and complete when it appears. The Vault
/// itself is never touched by whatever a model does to its files.
package final class ModelFolders: ModelFiles {
    private static let filesAtOnce = 1_000
    private static let maximumFiles = 100_000
    private let root: String
    private let artifacts: ArtifactStore
    private let busy = Mutex<[String: Int]>([:])

    /// - Parameters:
    ///   - root: Is made if it is missing; what was left half made in it is removed.
    ///   - artifacts: Where the files come from.
    package init(root: String, artifacts: ArtifactStore) {
        self.root = root
        self.artifacts = artifacts
        mkdir(root, 0o700)
        for name in Self.names(in: root) where name.hasPrefix(".") { Self.remove("\(root)/\(name)") }
    }

    package func folder(of location: String, known: String?) async throws -> (name: String, path: String) {
        if let known, Self.isName(known), access("\(root)/\(known)", R_OK | X_OK) == 0 {
            return (known, "\(root)/\(known)")
        }
        guard case .key(let folder) = try ArtifactAddress(of: location) else {
            throw ServingError.invalid("The model version has no folder of its own.")
        }
        let entries = try await entries(of: folder)
        let name = Self.name(of: entries, below: folder)
        let path = "\(root)/\(name)"
        hold(name, 1)
        defer { hold(name, -1) }
        if access(path, R_OK | X_OK) == 0 { return (name, path) }
        let fresh = "\(root)/.\(RandomIdentifiers().hex32())"
        do {
            try Self.makeFolder(fresh)
            var made: [String] = [root, fresh]
            for entry in entries { try await copy(entry, to: fresh, below: folder, &made) }
            try await Self.sync(made)
            if rename(fresh, path) != 0 {
                // Another load of the same content was quicker.
                guard access(path, R_OK | X_OK) == 0 else { throw Self.failure("be named") }
                Self.remove(fresh)
            }
            return (name, path)
        } catch {
            Self.remove(fresh)
            throw error
        }
    }

    package func clean(keeping names: Set<String>) async {
        for name in Self.names(in: root) where Self.isName(name) && !names.contains(name) {
            let isBusy = busy.withLock { $0[name] != nil }
            if !isBusy { Self.remove("\(root)/\(name)") }
        }
    }

    private func hold(_ name: String, _ change: Int) {
        busy.withLock { busy in
            let count = (busy[name] ?? 0) + change
            busy[name] = count > 0 ? count : nil
        }
    }

    private func entries(of folder: ArtifactKey) async throws -> [ArtifactEntry] {
        var entries: [ArtifactEntry] = []
        while entries.count < Self.maximumFiles {
            let page = try await artifacts.files(within: folder, after: entries.last?.key, limit: Self.filesAtOnce)
            entries += page
            guard page.count == Self.filesAtOnce else { break }
        }
        guard !entries.isEmpty else { throw ServingError.invalid("The model version has no files on this server.") }
        guard entries.count < Self.maximumFiles else {
            throw ServingError.invalid("The model version has more than \(Self.maximumFiles) files.")
        }
        return entries
    }

    /// SHA-256 over the names, sizes and digests of the files.
    private static func name(of entries: [ArtifactEntry], below folder: ArtifactKey) -> String {
        var hash = SHA256()
        for entry in entries {
            guard let content = entry.content else { continue }
            let path = entry.key.path.dropFirst(folder.path.count)
            hash.update(data: Array("\(path)\0\(content.digest)\0\(content.sizeBytes)\n".utf8))
        }
        var text: [UInt8] = []
        for byte in hash.finalize() { text += [Hexadecimal.digit(byte >> 4), Hexadecimal.digit(byte)] }
        return String(decoding: text, as: UTF8.self)
    }

    private static func isName(_ name: String) -> Bool {
        name.utf8.count == 64 && name.utf8.allSatisfy { Hexadecimal.value(of: $0) != nil }
    }

    private func copy(_ entry: ArtifactEntry, to root: String, below folder: ArtifactKey, _ made: inout [String])
        async throws
    {
        guard let content = entry.content else { return }
        // A key has neither dots nor empty segments, so what is built here stays below the root.
        let segments = entry.key.segments.dropFirst(folder.depth)
        var path = root
        for segment in segments.dropLast() {
            path += "/\(segment)"
            try Self.makeFolder(path)
            made.append(path)
        }
        path += "/\(segments.last ?? entry.key.name)"
        made.append(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("be made") }
        defer { close(descriptor) }
        for try await block in try await artifacts.blobs.open(content.digest).bytes {
            let isWritten = block.withUnsafeReadableBytes { bytes in
                var offset = 0
                while offset < bytes.count {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
                    let count = write(descriptor, rest.baseAddress, rest.count)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { return false }
                    offset += count
                }
                return true
            }
            guard isWritten else { throw Self.failure("be written") }
        }
    }

    /// Brings files and folders to the disk before the whole gets its name; on a thread of its own, as it may take long.
    private static func sync(_ paths: [String]) async throws {
        let isDone = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            startThread("apus-load") {
                let isDone = Set(paths).allSatisfy { path in
                    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
                    guard descriptor >= 0 else { return false }
                    defer { close(descriptor) }
                    return fsync(descriptor) == 0
                }
                continuation.resume(returning: isDone)
            }
        }
        guard isDone else { throw failure("be written") }
    }

    private static func makeFolder(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("be made") }
    }

    private static func failure(_ what: String) -> ServingError {
        ServingError(
            .temporarilyUnavailable,
            "A file of the model could not \(what): \(String(cString: strerror(errno)))."
        )
    }

    private static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    private static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}
