package import ApusGateway
import ApusKernel
package import ApusVault
import HTTPTypes
import HummingbirdCore
import NIOCore

/// Makes the answer to a request for a file.
package struct ArtifactDownload: Sendable {
    /// A file up to this size is checked before the first byte leaves, so that damage is told in an error.
    private static let smallBytes: Int64 = 1 << 19

    private let name: String
    private let content: ArtifactEntry.Content

    /// `name` is what a browser calls the file; its ending tells the media type.
    package init(name: String, content: ArtifactEntry.Content) {
        self.name = name
        self.content = content
    }

    /// The digest of the bytes: equal for equal files, wherever they are.
    private var etag: String { "\"\(content.digest.hex)\"" }

    /// Whether the client has these bytes already.
    private func isCurrent(_ request: GatewayRequest) -> Bool {
        guard let header = request.headers[.ifNoneMatch] else { return false }
        return header.split(separator: ",").contains { candidate in
            let tag = candidate.filter { $0 != " " && $0 != "\t" }
            return tag == "*" || (tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag) == etag
        }
    }

    /// The part that is asked for; the whole file when the client's part is of other bytes than these.
    private func range(_ request: GatewayRequest) -> ByteRange {
        if let condition = request.headers[.ifRange], condition != etag { return .whole }
        return ByteRange(request.headers[.range], of: content.sizeBytes)
    }

    /// The file, a part of it, its description, or that the client has it already or asks for a part that is not there.
    ///
    /// `reader` opens the file; it is called only when bytes are sent.
    ///
    /// - Throws: What `reader` throws, or ``RequestError`` `DATA_LOSS`.
    package func answer(_ request: GatewayRequest, _ reader: () async throws -> BlobReader) async throws
        -> GatewayResponse
    {
        var response = GatewayResponse(headers: [.eTag: etag, .cacheControl: "no-cache"])
        if isCurrent(request) {
            response.status = .notModified
            return response
        }
        response.headers[.acceptRanges] = "bytes"
        response.headers[.contentType] = MediaTypes.ofFile(named: name)
        response.headers[.contentDisposition] = ContentDisposition.attachment(named: name)
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.contentSecurityPolicy] = "sandbox; default-src 'none'"
        // A description is never a part.
        let range = request.method == .head ? .whole : range(request)
        switch range {
        case .unsatisfiable:
            response = .text("The file has \(content.sizeBytes) bytes.\n", status: .rangeNotSatisfiable)
            response.headers[.contentRange] = "bytes */\(content.sizeBytes)"
        case .part(let part):
            let bytes = try await reader().bytes(in: part)
            response.status = .partialContent
            response.headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(content.sizeBytes)"
            response.body = Self.body(of: bytes)
        case .whole where request.method == .head:
            response.headers[.contentLength] = "\(content.sizeBytes)"
        case .whole where content.sizeBytes <= Self.smallBytes:
            response.body = ResponseBody(byteBuffer: try await reader().collect(upTo: Self.smallBytes))
        case .whole:
            response.body = Self.body(of: try await reader().bytes)
        }
        return response
    }

    /// Block by block, each read when the one before it is sent.
    private static func body(of bytes: BlobBytes) -> ResponseBody {
        ResponseBody(contentLength: Int(clamping: bytes.count)) { writer in
            for try await block in bytes { try await writer.write(block) }
            try await writer.finish(nil)
        }
    }
}
