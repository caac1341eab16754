import ApusConsole
import ApusGateway
import ApusKernel
import ApusVault
import HTTPTypes
import NIOCore

/// What the preview of a dataset's file needs from the server besides the file.
///
/// A file is named by `dataset`, `version` and `path`.
struct DatasetPreviewData {
    let store: DatasetStore
    let contents: ContentStore
    let tree: VersionTree

    private static let maximumBytes: Int64 = 1 << 19

    var routes: [Route] {
        [Route(.get, "console/data/datasets/markdown", .root, .read(.dataset), markdown)]
    }

    /// A file of Markdown as elements of ours, to be put into the page.
    private func markdown(_ request: GatewayRequest) async throws -> GatewayResponse {
        guard let name = request.queryValue("dataset"), let reference = request.queryValue("version"),
            let text = request.queryValue("path")
        else { throw RequestError.invalid("Give 'dataset', 'version' and 'path'.") }
        let version = try await store.version(reference, of: name)
        let path = try FilePath(validating: text)
        guard let file = try await tree.entry(at: path, in: version.root) else {
            throw RequestError(.resourceDoesNotExist, "v\(version.number) has no file '\(path)'.")
        }
        let bytes = try await contents.open(file.digest).collect(upTo: Self.maximumBytes)
        let source = String(decoding: bytes.readableBytesView, as: UTF8.self)
        var response = GatewayResponse.html(Component.markdown(source, breaksLines: false).markup)
        response.headers[.contentSecurityPolicy] = "sandbox; default-src 'none'"
        return response
    }
}
