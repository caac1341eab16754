import ApusGateway
import ApusJSON
import ApusKernel
import ApusVault
import HTTPTypes
import Tracking

/// The API of versions and their files.
///
/// A version is named by a branch, a tag, its number such as `v3`, or eight or more digits of its identifier.
struct VersionRoutes {
    let store: DatasetStore
    let contents: ContentStore
    let tree: VersionTree

    private static let version = "v1/datasets/{name}/versions/{version}"

    var routes: [Route] {
        [
            Route(.get, "v1/datasets/{name}/versions", .api, .read(.dataset), history),
            Route(.get, Self.version, .api, .read(.dataset), get),
            Route(.get, "\(Self.version)/list", .api, .read(.dataset), list),
            Route(.get, "\(Self.version)/diff", .api, .read(.dataset), diff),
            Route(.get, "\(Self.version)/files/{path...}", .api, .read(.dataset), download),
        ]
    }

    private func found(_ request: GatewayRequest) async throws -> DatasetVersion {
        try await store.version(try request.parameter("version"), of: try request.parameter("name"))
    }

    /// `?ref=` names where to begin; the youngest version comes first.
    private func history(_ request: GatewayRequest) async throws -> GatewayResponse {
        let name = try request.parameter("name")
        let (limit, ref) = try await request.message { message in
            (try message.pageLimit(default: 100), try message.string("ref"))
        }
        let dataset = try await store.dataset(name)
        let versions: [DatasetVersion] =
            if ref == nil, dataset.head == nil { [] } else {
                try await store.history(of: name, from: try await store.version(ref, of: name), limit: limit)
            }
        return .json { json in
            json.key("versions")
            json.array(versions) { json, version in json.version(version) }
        }
    }

    private func get(_ request: GatewayRequest) async throws -> GatewayResponse {
        let version = try await found(request)
        var json = JSONWriter()
        json.version(version)
        return .json(bytes: json.bytes)
    }

    /// `?path=` names a directory, `&page_token=` the last name of the page before; `&recursive=true` lists the files
    /// below it at any depth, where the token is a whole path.
    private func list(_ request: GatewayRequest) async throws -> GatewayResponse {
        let version = try await found(request)
        let (limit, path, after, isRecursive) = try await request.message { message in
            let isRecursive = try message.bool("recursive") ?? false
            return (
                try message.pageLimit(default: 1000, maximum: isRecursive ? 10_000 : 1000),
                try message.string("path") ?? "", try message.string("page_token"), isRecursive
            )
        }
        let directory = path.isEmpty ? nil : try FilePath(validating: path)
        if isRecursive {
            let last = try after.map { try FilePath(validating: $0) }
            let files = try await tree.files(within: directory, in: version.root, after: last, limit: limit + 1)
            return .json { json in
                json.key("items")
                json.array(files.prefix(limit)) { json, file in json.file(file) }
                if files.count > limit, let last = files.prefix(limit).last {
                    json.member("next_page_token", last.path.text)
                }
            }
        }
        let items = try await tree.list(directory, in: version.root, after: after, limit: limit + 1)
        return .json { json in
            json.key("items")
            json.array(items.prefix(limit)) { json, item in
                switch item {
                case .file(let file): json.file(file)
                case .directory(let path, let totals):
                    json.object { json in
                        json.member("path", path.text)
                        json.member("is_directory", true)
                        json.member("files", totals.fileCount)
                        json.member("bytes", totals.sizeBytes)
                    }
                }
            }
            if items.count > limit, let last = items.prefix(limit).last { json.member("next_page_token", last.name) }
        }
    }

    /// What became of the files since `?from=`, another version of the dataset; `&after=` is the last path of the page
    /// before.
    private func diff(_ request: GatewayRequest) async throws -> GatewayResponse {
        let version = try await found(request)
        let (limit, from, after) = try await request.message { message in
            (
                try message.pageLimit(default: 1000), try message.requiredString("from"),
                try message.string("page_token")
            )
        }
        let older = try await store.version(from, of: try request.parameter("name"))
        let last = try after.map { try FilePath(validating: $0) }
        var differences: [FileDifference] = []
        for try await difference in tree.diff(from: older.root, to: version.root) {
            if let last, difference.path <= last { continue }
            differences.append(difference)
            if differences.count > limit { break }
        }
        return .json { json in
            json.member("from", older.number)
            json.member("to", version.number)
            json.key("differences")
            json.array(differences.prefix(limit)) { json, difference in json.difference(difference) }
            if differences.count > limit, let last = differences.prefix(limit).last {
                json.member("next_page_token", last.path.text)
            }
        }
    }

    private func download(_ request: GatewayRequest) async throws -> GatewayResponse {
        let version = try await found(request)
        let path = try FilePath(validating: try request.parameter("path"))
        guard let file = try await tree.entry(at: path, in: version.root) else {
            throw RequestError(.resourceDoesNotExist, "v\(version.number) has no file '\(path)'.")
        }
        let content = ArtifactEntry.Content(digest: file.digest, sizeBytes: file.sizeBytes)
        return try await ArtifactDownload(name: path.name, content: content).answer(request) {
            try await contents.open(file.digest)
        }
    }
}
