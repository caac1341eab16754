import ApusCommand
import ApusKernel
import ApusVault
import AsyncHTTPClient
import Glibc
import NIOCore

import struct Crypto.SHA256

/// Makes the files of a folder those of a version.
///
/// Files that are right already are left alone, others are written beside their place and appear whole. What was changed
/// by hand, or is in the way, is not touched unless it may be.
struct DatasetCheckout {
    let server: DatasetClient
    let progress: Progress
    /// Whether changes that are in no version may be lost.
    let mayOverwrite: Bool

    /// Small files come together, up to so many bytes and files.
    private static let groupBytes: Int64 = 16 << 20
    private static let groupCount = 2_000
    /// Downloads at a time.
    private static let width = 4

    /// What was done.
    struct Report: Sendable {
        var written = 0
        var writtenBytes: Int64 = 0
        var removed = 0
        var kept = 0
    }

    /// Makes the change.
    ///
    /// - Parameters:
    ///   - files: The version's, in the order of their paths.
    ///   - number: The version.
    ///   - copy: The folder.
    /// - Returns: What was done.
    /// - Throws: ``CommandFailure``, also for changes that would be lost; then nothing was changed.
    func run(_ files: [FileEntry], of number: Int64, in copy: WorkingCopy) async throws -> Report {
        let index = copy.index()
        let present = try FolderScan(copy.root).files
        let changes = LocalChanges(present, since: index)
        var report = Report()
        // What may differ from the index is read, so that the same content is never taken for a change.
        var current: [FilePath: FileIndex.Entry] = [:]
        let candidates = Set(changes.candidates.map(\.path))
        for entry in index.entries where !candidates.contains(entry.file.path) { current[entry.file.path] = entry }
        for path in changes.removed { current[path] = nil }
        let now = SystemWallClock().milliseconds
        var isChanged: Set<FilePath> = []
        let wanted = Dictionary(files.map { ($0.path, $0) }) { first, _ in first }
        for file in changes.candidates {
            let known = index[file.path]?.file
            // A file that neither version has is none of our business, unless it is in the way.
            guard known != nil || wanted[file.path] != nil else { continue }
            let contents = try LocalFiles.contents(of: file) { _ in }
            let entry = FileEntry(
                path: file.path,
                digest: contents.digest,
                sizeBytes: contents.stamp.sizeBytes,
                isExecutable: contents.stamp.isExecutable
            )
            current[file.path] = FileIndex.entry(entry, contents.stamp, readAt: now)
            if known?.digest != contents.digest { isChanged.insert(file.path) }
        }
        let fetched = files.filter { current[$0.path].map { entry in entry.file.digest } != $0.digest }
        let obsolete = current.keys.filter { wanted[$0] == nil }
        try checkNothingIsLost(fetched.map(\.path) + obsolete, changed: isChanged)
        for path in obsolete {
            try Self.remove(path, below: copy.root)
            current[path] = nil
            report.removed += 1
        }
        for file in files {
            guard var entry = current[file.path], entry.file.digest == file.digest else { continue }
            report.kept += 1
            if entry.stamp.isExecutable != file.isExecutable {
                entry.stamp = try Self.setPermissions(of: file, at: "\(copy.root)/\(file.path)")
            }
            entry.file = file
            current[file.path] = entry
        }
        let written = try await fetch(fetched, of: number, below: copy.root)
        for (file, stamp) in written {
            current[file.path] = FileIndex.entry(file, stamp, readAt: SystemWallClock().milliseconds)
            report.written += 1
            report.writtenBytes += file.sizeBytes
        }
        try copy.save(FileIndex(Array(current.values)))
        return report
    }

    private func checkNothingIsLost(_ touched: [FilePath], changed: Set<FilePath>) throws {
        guard !mayOverwrite else { return }
        let lost = touched.filter { changed.contains($0) }.sorted()
        guard let first = lost.first else { return }
        let others = lost.count > 1 ? " and \(NumberText.count(lost.count - 1, "other file"))" : ""
        throw CommandFailure(
            "'\(first)'\(others) would be overwritten, and no version has it as it is",
            hint: "Commit the changes first, or add --force to lose them."
        )
    }

    /// Removes a file, and the folders that are empty without it.
    private static func remove(_ path: FilePath, below root: String) throws {
        guard unlink("\(root)/\(path)") == 0 || errno == ENOENT else {
            throw CommandFailure.file("remove", "\(root)/\(path)")
        }
        var folder = path.parent
        while let next = folder, rmdir("\(root)/\(next)") == 0 { folder = next.parent }
    }

    // MARK: Writing

    private func fetch(_ files: [FileEntry], of version: Int64, below root: String) async throws -> [(
        FileEntry, FileStamp
    )] {
        guard !files.isEmpty else { return [] }
        progress.begin("Writing \(NumberText.count(files.count, "file"))", total: files.reduce(0) { $0 + $1.sizeBytes })
        defer { progress.end() }
        try Self.makeFolders(for: files, below: root)
        return try await withThrowingTaskGroup(of: [(FileEntry, FileStamp)].self) { group in
            var written: [(FileEntry, FileStamp)] = []
            var running = 0
            for some in Self.groups(files) {
                if running >= Self.width, let done = try await group.next() {
                    written += done
                    running -= 1
                }
                group.addTask { try await fetch(group: some, of: version, below: root) }
                running += 1
            }
            while let done = try await group.next() { written += done }
            return written
        }
    }

    private static func makeFolders(for files: [FileEntry], below root: String) throws {
        var made: Set<FilePath> = []
        for file in files {
            guard let folder = file.path.parent, made.insert(folder).inserted else { continue }
            try LocalPath.makeFolders(folder.segments, below: root)
        }
    }

    private static func groups(_ files: [FileEntry]) -> [ArraySlice<FileEntry>] {
        let large = files.filter { $0.sizeBytes > LocalFiles.smallBytes }
        let small = files.filter { $0.sizeBytes <= LocalFiles.smallBytes }
        var groups = large.indices.map { large[$0...$0] }
        var start = 0
        var bytes: Int64 = 0
        for (index, file) in small.enumerated() {
            if index - start >= groupCount || bytes + file.sizeBytes > groupBytes {
                groups.append(small[start..<index])
                start = index
                bytes = 0
            }
            bytes += file.sizeBytes
        }
        if start < small.count { groups.append(small[start...]) }
        return groups
    }

    private func fetch(
        group files: ArraySlice<FileEntry>,
        of version: Int64,
        below root: String
    ) async throws -> [(FileEntry, FileStamp)] {
        if let only = files.first, files.count == 1 {
            let body = try await server.download(only.path, in: version)
            var sink = try ContentSink(only, below: root)
            do {
                for try await buffer in body {
                    try sink.write(buffer)
                    progress.advance(bytes: Int64(buffer.readableBytes))
                }
            } catch {
                throw server.client.explain(error)
            }
            return [(only, try sink.finish())]
        }
        let expected = Dictionary(files.map { ($0.path.text, $0) }) { first, _ in first }
        var written: [(FileEntry, FileStamp)] = []
        var archive = TarReader(try await server.archive(of: files.map(\.path), in: version))
        do {
            while let entry = try await archive.next() {
                guard let file = expected[entry.name] else {
                    throw CommandFailure("the server sent a file '\(entry.name)' that was not asked for")
                }
                var sink = try ContentSink(file, below: root)
                while let buffer = try await archive.content() {
                    try sink.write(buffer)
                    progress.advance(bytes: Int64(buffer.readableBytes))
                }
                written.append((file, try sink.finish()))
            }
        } catch let error as RequestError {
            throw CommandFailure("the server's archive cannot be read: \(error.message)")
        } catch {
            throw server.client.explain(error)
        }
        guard written.count == files.count else {
            throw CommandFailure("the server sent \(written.count) of \(files.count) files", hint: "Try again.")
        }
        return written
    }

    static func setPermissions(of file: FileEntry, at path: String) throws -> FileStamp {
        let mask = umask(0)
        umask(mask)
        guard chmod(path, (file.isExecutable ? 0o777 : 0o666) & ~mask) == 0 else {
            throw CommandFailure.file("write", path)
        }
        var status = stat()
        guard lstat(path, &status) == 0 else { throw CommandFailure.file("write", path) }
        return FileStamp(status)
    }
}

/// A file of a version while it is written; it appears when its content was found to be right.
private struct ContentSink: ~Copyable {
    private let file: FileEntry
    private let path: String
    private var sink: FileSink
    private var hasher = SHA256()

    init(_ file: FileEntry, below root: String) throws {
        self.file = file
        path = "\(root)/\(file.path)"
        sink = try FileSink(path: path, replaces: true)
    }

    mutating func write(_ buffer: ByteBuffer) throws {
        try sink.write(buffer)
        buffer.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
    }

    mutating func finish() throws -> FileStamp {
        guard Digest(bytes: Array(hasher.finalize())) == file.digest else {
            throw CommandFailure("'\(file.path)' arrived damaged", hint: "Try again; `apus doctor` checks the server.")
        }
        try sink.finish()
        if file.isExecutable { return try DatasetCheckout.setPermissions(of: file, at: path) }
        var status = stat()
        guard lstat(path, &status) == 0 else { throw CommandFailure.file("write", path) }
        return FileStamp(status)
    }
}
