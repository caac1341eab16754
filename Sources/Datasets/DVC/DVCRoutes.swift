import ApusGateway
import ApusKernel
import ApusVault
import HTTPTypes
import Tracking

/// A DVC remote over HTTP at `/dvc/{dataset}`: objects are read by GET, and written by POST or PUT.
struct DVCRoutes {
    let remote: DVCRemote

    var routes: [Route] {
        routes("dvc/{dataset}/files/md5/{prefix}/{rest}", .raw)
            // Where DVC 2 kept its objects, which DVC 3 goes on to use for what it got from there.
            + routes("dvc/{dataset}/{prefix}/{rest}", .unixLines)
    }

    private func routes(_ path: String, _ layout: DVCObjectName.Layout) -> [Route] {
        [
            Route(.get, path, .root, .read(.dataset), refusal: Self.refusal) { try await download($0, layout) },
            Route(.post, path, .root, .edit(.dataset), refusal: Self.refusal) { try await upload($0, layout) },
            Route(.put, path, .root, .edit(.dataset), refusal: Self.refusal) { try await upload($0, layout) },
        ]
    }

    private func name(_ request: GatewayRequest, _ layout: DVCObjectName.Layout) throws -> DVCObjectName? {
        DVCObjectName(layout, prefix: try request.parameter("prefix"), rest: try request.parameter("rest"))
    }

    private func download(_ request: GatewayRequest, _ layout: DVCObjectName.Layout) async throws -> GatewayResponse {
        guard let name = try name(request, layout),
            let object = try await remote.find(name, of: try request.parameter("dataset"))
        else { throw RequestError(.resourceDoesNotExist, "No such object.") }
        let content = ArtifactEntry.Content(digest: object.digest, sizeBytes: object.sizeBytes)
        return try await ArtifactDownload(name: name.hash, content: content).answer(request) {
            try await remote.blobs.open(object.digest)
        }
    }

    private func upload(_ request: GatewayRequest, _ layout: DVCObjectName.Layout) async throws -> GatewayResponse {
        guard let name = try name(request, layout) else {
            throw RequestError.invalid("An object's address ends in two and thirty hexadecimal digits of its MD5.")
        }
        try await remote.receive(name, of: try request.parameter("dataset"), request)
        return .emptyMessage
    }

    /// What cannot be stored as it was sent is 422, which no client tries again.
    private static func refusal(_ code: ErrorCode, _ message: String, _ id: String) -> GatewayResponse {
        var answer = GatewayResponse.error(code, message, requestID: id)
        if code == .invalidParameterValue { answer.status = .unprocessableContent }
        return answer
    }
}
