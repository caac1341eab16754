import ApusGateway
import ApusKernel
import ApusVault
import HTTPTypes
import HummingbirdCore
import NIOCore
import Tracking

/// Files of a version as one tar archive.
struct ArchiveRoutes {
    let store: DatasetStore
    let contents: ContentStore
    let tree: VersionTree

    /// The most files that a request names one by one.
    private static let maximumPaths = 10_000
    /// Contents up to this size are read ahead, some at a time.
    private static let smallBytes: Int64 = 256 << 10
    private static let readAhead = 256
    private static let readAheadBytes: Int64 = 4 << 20
    private static let archive = "v1/datasets/{name}/versions/{version}/archive"

    var routes: [Route] {
        [
            Route(.get, Self.archive, .api, .read(.dataset), directory),
            Route(.post, Self.archive, .api, .read(.dataset), chosen),
        ]
    }

    private func found(_ request: GatewayRequest) async throws -> DatasetVersion {
        try await store.version(try request.parameter("version"), of: try request.parameter("name"))
    }

    /// All files, or those below the directory `?path=`.
    private func directory(_ request: GatewayRequest) async throws -> GatewayResponse {
        let version = try await found(request)
        let text = try await request.message { try $0.string("path") } ?? ""
        let directory = text.isEmpty ? nil : try FilePath(validating: text)
        if let directory {
            guard case .directory = try await tree.item(at: directory, in: version.root) else {
                throw RequestError(.resourceDoesNotExist, "v\(version.number) has no directory '\(directory)'.")
            }
        }
        let (tree, root) = (tree, version.root)
        return answer(request, version) { last in
            try await tree.files(within: directory, in: root, after: last?.path, limit: 1000)
        }
    }

    /// The files that the body names, in the order of their paths.
    private func chosen(_ request: GatewayRequest) async throws -> GatewayResponse {
        let version = try await found(request)
        let paths = try await request.message { message in
            try message.strings("paths", limit: Self.maximumPaths).map { try FilePath(validating: $0) }
        }
        var files: [FileEntry] = []
        for path in Set(paths).sorted() {
            guard let file = try await tree.entry(at: path, in: version.root) else {
                throw RequestError(.resourceDoesNotExist, "v\(version.number) has no file '\(path)'.")
            }
            files.append(file)
        }
        let all = files
        return answer(request, version) { last in last == nil ? all : [] }
    }

    /// `next` gives the files after one, page by page; an empty page is the last.
    private func answer(
        _ request: GatewayRequest,
        _ version: DatasetVersion,
        _ next: @escaping @Sendable (FileEntry?) async throws -> [FileEntry]
    ) -> GatewayResponse {
        let name = "\(request.parameters["name"] ?? "dataset")-v\(version.number).tar"
        let headers: HTTPFields = [
            .contentType: "application/x-tar",
            .contentDisposition: ContentDisposition.attachment(named: name),
            .xContentTypeOptions: "nosniff",
        ]
        guard request.method != .head else { return GatewayResponse(headers: headers) }
        let body = ResponseBody { writer in
            var last: FileEntry?
            while true {
                let page = try await next(last)
                guard let end = page.last else { break }
                last = end
                try await write(page, to: &writer)
            }
            try await writer.write(ByteBuffer(bytes: TarHeader.end))
            try await writer.finish(nil)
        }
        return GatewayResponse(headers: headers, body: body)
    }

    private func write(_ files: [FileEntry], to writer: inout any ResponseBodyWriter) async throws {
        var start = 0
        while start < files.count {
            var bytes: Int64 = 0
            let run = files[start...].prefix(Self.readAhead).prefix { file in
                bytes += file.sizeBytes
                return file.sizeBytes <= Self.smallBytes && bytes <= Self.readAheadBytes
            }
            if run.isEmpty {
                try await write(large: files[start], to: &writer)
                start += 1
            } else {
                try await writer.write(try await archive(of: run))
                start += run.count
            }
        }
    }

    /// Small files, read together.
    private func archive(of files: ArraySlice<FileEntry>) async throws -> ByteBuffer {
        let contents = try await contents.read(files.map(\.digest))
        var buffer = ByteBuffer()
        for (file, content) in zip(files, contents) {
            buffer.writeBytes(TarHeader.blocks(of: Self.entry(file)))
            buffer.writeImmutableBuffer(content)
            buffer.writeRepeatingByte(0, count: TarHeader.padding(of: file.sizeBytes))
        }
        return buffer
    }

    private func write(large file: FileEntry, to writer: inout any ResponseBodyWriter) async throws {
        let reader = try await contents.open(file.digest)
        try await writer.write(ByteBuffer(bytes: TarHeader.blocks(of: Self.entry(file))))
        for try await block in reader.bytes { try await writer.write(block) }
        try await writer.write(ByteBuffer(repeating: 0, count: TarHeader.padding(of: file.sizeBytes)))
    }

    private static func entry(_ file: FileEntry) -> TarEntry {
        TarEntry(name: file.path.text, sizeBytes: file.sizeBytes, isExecutable: file.isExecutable)
    }
}
