import ApusCommand
import ApusVault
import AsyncHTTPClient
import NIOCore

/// The calls of a server that working copies need.
struct DatasetClient: Sendable {
    let client: APIClient
    let dataset: String

    /// A path below `api/v1/datasets`.
    static func path(_ segments: String...) -> String {
        "api/v1/datasets" + segments.map { "/\(PercentEncoding.component($0))" }.joined()
    }

    /// Which of some contents the server has not.
    func missing(_ digests: [Digest]) async throws -> Set<Digest> {
        var missing: Set<Digest> = []
        for start in stride(from: 0, to: digests.count, by: 5000) {
            let page = digests[start..<min(start + 5000, digests.count)].map { JSON.string($0.hex) }
            let answer = try await client.send(
                APIRequest(
                    .post,
                    Self.path(dataset, "contents", "missing"),
                    body: ["sha256": .array(page)]
                )
            )
            missing.formUnion(answer["missing"].elements.compactMap { Digest(hex: $0.text) })
        }
        return missing
    }

    /// Sends small contents together.
    func send(_ contents: [(digest: Digest, bytes: ByteBuffer)]) async throws {
        var archive = ByteBuffer()
        for (digest, bytes) in contents {
            let size = Int64(bytes.readableBytes)
            archive.writeBytes(TarHeader.blocks(of: TarEntry(name: digest.hex, sizeBytes: size)))
            archive.writeImmutableBuffer(bytes)
            archive.writeRepeatingByte(0, count: TarHeader.padding(of: size))
        }
        archive.writeBytes(TarHeader.end)
        try await client.upload(
            Pieces([archive]),
            count: Int64(archive.readableBytes),
            mediaType: "application/x-tar",
            to: APIRequest(.post, Self.path(dataset, "contents"))
        )
    }

    /// Sends a file of any size.
    func send(_ file: LocalFile, _ digest: Digest, _ progress: Progress) async throws {
        let bytes = try FileChunks(path: file.localPath, progress: progress)
        try await client.upload(
            bytes,
            count: bytes.count,
            to: APIRequest(.put, Self.path(dataset, "contents", digest.hex))
        )
    }

    /// Sends a file whose digest is not known, and tells it.
    func send(_ file: LocalFile, _ progress: Progress) async throws -> Digest {
        let bytes = try FileChunks(path: file.localPath, progress: progress)
        let answer = try await client.upload(
            bytes,
            count: bytes.count,
            to: APIRequest(.post, Self.path(dataset, "contents"))
        )
        guard let digest = Digest(hex: answer["sha256"].text), answer["bytes"].integer == bytes.count else {
            throw CommandFailure("the server did not tell what it has received")
        }
        return digest
    }

    /// What a commit tells beside its changes.
    struct Commit: Sendable {
        var branch: String?
        var message: String
        var author: String?
        /// The version that the branch must be at: 0 for none, nil for any.
        var base: Int64?
        /// Whether the files are all that the version has.
        var isWhole = false
        /// The run that makes the version; MLflow's clients and `mlflow run` name it in the environment.
        var run = Environment.process["MLFLOW_RUN_ID"]
    }

    /// Makes a version.
    ///
    /// - Returns: The server's answer: `version`, and `is_new`.
    func commit(_ commit: Commit, _ changes: [TreeChange]) async throws -> JSON {
        let head: JSON = [
            "branch": .optional(commit.branch), "message": .string(commit.message),
            "author": .optional(commit.author), "base": commit.base.map(JSON.integer) ?? .null,
            "whole": .bool(commit.isWhole), "run_id": .optional(commit.run),
        ]
        return try await client.upload(
            CommitLines(head: head.withoutNulls, changes: changes),
            count: nil,
            mediaType: "application/jsonl",
            to: APIRequest(.post, Self.path(dataset, "versions"))
        )
    }

    /// Tells that the run that the environment names has read a version.
    func recordRead(of version: Int64) async throws {
        guard let run = Environment.process["MLFLOW_RUN_ID"], !run.isEmpty else { return }
        _ = try await client.send(
            APIRequest(
                .post,
                Self.path(dataset, "versions", "v\(version)", "lineage"),
                body: ["run_id": .string(run), "use": .string("read")]
            )
        )
    }

    /// A version.
    func version(_ reference: String) async throws -> JSON {
        try await client.send(APIRequest(.get, Self.path(dataset, "versions", reference)))
    }

    /// All files of a version, in the order of their paths.
    func files(of version: Int64) async throws -> [FileEntry] {
        var files: [FileEntry] = []
        var token: String?
        while true {
            var query = [("recursive", "true"), ("limit", "10000")]
            if let token { query.append(("page_token", token)) }
            let page = try await client.send(
                APIRequest(.get, Self.path(dataset, "versions", "v\(version)", "list"), query: query)
            )
            for item in page["items"].elements { files.append(try Self.file(item)) }
            guard let next = page["next_page_token"].string, next != token else { return files }
            token = next
        }
    }

    /// Starts the download of some small files as one archive.
    func archive(of paths: [FilePath], in version: Int64) async throws -> HTTPClientResponse.Body {
        try await client.download(
            APIRequest(
                .post,
                Self.path(dataset, "versions", "v\(version)", "archive"),
                body: ["paths": .array(paths.map { .string($0.text) })]
            )
        ).body
    }

    /// Starts the download of one file.
    func download(_ path: FilePath, in version: Int64) async throws -> HTTPClientResponse.Body {
        let segments = ["versions", "v\(version)", "files"] + path.segments
        let place = segments.map { "/\(PercentEncoding.component($0))" }.joined()
        return try await client.download(APIRequest(.get, Self.path(dataset) + place)).body
    }

    /// What the server says of a file, which is not trusted.
    static func file(_ json: JSON) throws -> FileEntry {
        guard let path = try? FilePath(validating: json["path"].text), let digest = Digest(hex: json["sha256"].text),
            let size = json["bytes"].integer, size >= 0
        else { throw CommandFailure("the server names a file '\(json["path"].text)', which is not safe to write") }
        return FileEntry(path: path, digest: digest, sizeBytes: size, isExecutable: json["executable"] == .bool(true))
    }
}

/// Buffers as a stream.
struct Pieces: AsyncSequence, Sendable {
    private let buffers: [ByteBuffer]

    init(_ buffers: [ByteBuffer]) { self.buffers = buffers }

    struct AsyncIterator: AsyncIteratorProtocol {
        var iterator: IndexingIterator<[ByteBuffer]>

        mutating func next() async -> ByteBuffer? { iterator.next() }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(iterator: buffers.makeIterator()) }
}

/// The lines of a commit, made as they are sent.
private struct CommitLines: AsyncSequence, Sendable {
    let head: JSON
    let changes: [TreeChange]

    struct AsyncIterator: AsyncIteratorProtocol {
        let lines: CommitLines
        var next = -1

        mutating func next() async throws -> ByteBuffer? {
            var buffer = ByteBuffer()
            if next < 0 {
                buffer.writeString("\(lines.head.compactText)\n")
                next = 0
            }
            while next < lines.changes.count, buffer.readableBytes < 1 << 16 {
                buffer.writeString("\(Self.line(lines.changes[next]).compactText)\n")
                next += 1
            }
            return buffer.readableBytes > 0 ? buffer : nil
        }

        private static func line(_ change: TreeChange) -> JSON {
            switch change {
            case .put(let file):
                var members = [
                    JSON.Member("path", .string(file.path.text)), JSON.Member("sha256", .string(file.digest.hex)),
                    JSON.Member("bytes", .integer(file.sizeBytes)),
                ]
                if file.isExecutable { members.append(JSON.Member("executable", .bool(true))) }
                return .object(members)
            case .remove(let path): return ["path": .string(path.text), "removed": .bool(true)]
            case .removeDirectory(let path): return ["path": .string("\(path.text)/"), "removed": .bool(true)]
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(lines: self) }
}
