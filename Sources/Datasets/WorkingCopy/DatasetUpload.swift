import ApusCommand
import ApusKernel
import ApusVault
import NIOCore

/// Brings files of this machine into a dataset: reads each once, and sends what the server has not.
struct DatasetUpload: Sendable {
    let server: DatasetClient
    let progress: Progress

    /// Small files are read, asked about and sent together, up to so many bytes.
    private static let windowBytes: Int64 = 12 << 20
    /// And so many files.
    private static let windowCount = 2_000
    /// Windows and large files that are under way at a time: while one is sent others are read.
    private static let width = 4

    /// A file that the server has by now.
    struct Sent: Sendable {
        let file: FileEntry
        let stamp: FileStamp
    }

    /// Reads files, and makes sure that the server has their contents.
    ///
    /// - Returns: What was read, in no order.
    /// - Throws: ``CommandFailure``.
    func send(_ files: [LocalFile]) async throws -> [Sent] {
        progress.begin(
            "Reading \(NumberText.count(files.count, "file"))",
            total: files.reduce(0) { $0 + $1.stamp.sizeBytes }
        )
        defer { progress.end() }
        return try await withThrowingTaskGroup(of: [Sent].self) { group in
            var sent: [Sent] = []
            sent.reserveCapacity(files.count)
            var running = 0
            for window in Self.windows(files) {
                if running >= Self.width, let done = try await group.next() {
                    sent += done
                    running -= 1
                }
                group.addTask { try await send(window: window) }
                running += 1
            }
            while let done = try await group.next() { sent += done }
            return sent
        }
    }

    /// Small files in groups, and each large file alone.
    private static func windows(_ files: [LocalFile]) -> [ArraySlice<LocalFile>] {
        let (small, large) = (
            files.filter { $0.stamp.sizeBytes <= LocalFiles.smallBytes },
            files.filter { $0.stamp.sizeBytes > LocalFiles.smallBytes }
        )
        var windows = large.indices.map { large[$0...$0] }
        var start = 0
        var bytes: Int64 = 0
        for (index, file) in small.enumerated() {
            if index - start >= windowCount || bytes + file.stamp.sizeBytes > windowBytes {
                windows.append(small[start..<index])
                start = index
                bytes = 0
            }
            bytes += file.stamp.sizeBytes
        }
        if start < small.count { windows.append(small[start...]) }
        return windows
    }

    private func send(window: ArraySlice<LocalFile>) async throws -> [Sent] {
        if window.count == 1, let file = window.first, file.stamp.sizeBytes > LocalFiles.smallBytes,
            server.client.address.isLoopback
        {
            return [try await stream(file)]
        }
        var sent: [Sent] = []
        var small: [Digest: ByteBuffer] = [:]
        var large: [Digest: LocalFile] = [:]
        for file in window {
            let contents = try LocalFiles.contents(of: file) { progress.advance(bytes: $0) }
            sent.append(
                Sent(
                    file: FileEntry(
                        path: file.path,
                        digest: contents.digest,
                        sizeBytes: contents.stamp.sizeBytes,
                        isExecutable: contents.stamp.isExecutable
                    ),
                    stamp: contents.stamp
                )
            )
            if let bytes = contents.bytes { small[contents.digest] = bytes } else { large[contents.digest] = file }
        }
        let missing = try await server.missing(Array(small.keys) + Array(large.keys))
        let wanted = small.filter { missing.contains($0.key) }
        if !wanted.isEmpty { try await server.send(wanted.map { (digest: $0.key, bytes: $0.value) }) }
        for (digest, file) in large where missing.contains(digest) { try await server.send(file, digest, Self.silent) }
        return sent
    }

    /// Sends a large file without reading it before.
    ///
    /// To a server on this machine that costs less than to ask whether it has the content. The server's digest is of the
    /// bytes that it has.
    private func stream(_ file: LocalFile) async throws -> Sent {
        guard let before = FileStamp(ofFile: file.localPath) else {
            throw CommandFailure.file("read", file.localPath)
        }
        let digest = try await server.send(file, progress)
        guard FileStamp(ofFile: file.localPath) == before else { throw LocalFiles.changed(file) }
        return Sent(
            file: FileEntry(
                path: file.path,
                digest: digest,
                sizeBytes: before.sizeBytes,
                isExecutable: before.isExecutable
            ),
            stamp: before
        )
    }

    /// What is sent was counted when it was read.
    private static let silent = Progress(isShown: false, width: 0)
}
