import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes

/// The API that makes versions.
struct CommitRoutes {
    let committer: DatasetCommitter

    var routes: [Route] {
        [Route(.post, "v1/datasets/{name}/versions", .api, .edit(.dataset), commit)]
    }

    /// Media types of lines of JSON; no web page can send them to another origin without asking first.
    private static let mediaTypes = ["application/jsonl", "application/x-ndjson"]

    private func commit(_ request: GatewayRequest) async throws -> GatewayResponse {
        let mediaType = (request.headers[.contentType] ?? "").prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        guard Self.mediaTypes.contains(mediaType) else {
            throw RequestError.invalid("Bad Request. Content-Type must be one of ['application/jsonl'].")
        }
        let (version, isNew) = try await committer.commit(
            try await CommitRequest(request.body),
            to: try request.parameter("name")
        )
        var json = JSONWriter()
        json.object { json in
            json.member("is_new", isNew)
            json.key("version")
            json.version(version)
        }
        return .json(status: isNew ? .created : .ok, bytes: json.bytes)
    }
}
