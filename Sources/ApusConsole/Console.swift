package import ApusGateway
import ApusKernel
package import ApusLedger
package import HTTPTypes
import HummingbirdCore
import NIOCore

/// The web UI's shell: it serves the assets, wraps pages, and tells them what happens.
///
/// Capabilities bring pages as routes made by ``page(_:_:_:)``; see `docs/guides/adding-a-page.md`.
package struct Console: Sendable {
    private let shell: Shell
    let changes: ChangeFeed

    /// - Parameters:
    ///   - prefix: What stands before every path, such as `/ml`; empty for nothing.
    ///   - version: The version of the product, shown at the foot.
    ///   - changes: What pages are told of while they are open.
    package init(prefix: String, version: String, changes: ChangeFeed) {
        shell = Shell(base: "\(prefix)/", version: version)
        self.changes = changes
    }

    /// The routes of the shell itself.
    package var routes: [Route] {
        [
            Route(.get, "", .root, .open) { _ in Self.redirect(to: Link("console")) },
            Route(.get, "console/assets/{version}/{name}", .root, .open, asset),
            page("console/styleguide", .open) { _ in StyleGuide.page },
            liveRoute,
        ]
    }

    /// A page: its address, what it takes to see it, and what it shows.
    ///
    /// Whatever `content` throws becomes a page that says so, with the status of the error.
    package func page(
        _ path: String,
        _ permission: Permission,
        _ content: @escaping @Sendable (GatewayRequest) async throws -> ConsolePage
    ) -> Route {
        Route(
            .get,
            path,
            .root,
            permission,
            refusal: { [shell, changes] code, message, id in
                let page = ConsolePage.failure(code, message, requestID: id)
                return Self.answer(shell.render(page, place: changes.place), status: code.status)
            },
            { [shell, changes] request in
                // Before the page is made: it is told again what it shows already, rather than never what it misses.
                let place = changes.place
                let html = shell.render(try await content(request), place: place)
                return Self.answer(html, isCompressed: Gzip.isAccepted(request.headers))
            }
        )
    }

    /// What a browser shows where none of our pages is; nil for paths that are not ours.
    package func missing(_ path: Substring, _ status: HTTPResponse.Status, id: String) -> GatewayResponse? {
        guard path == "/console" || path.hasPrefix("/console/") else { return nil }
        let page = ConsolePage.missing(isMethod: status == .methodNotAllowed)
        return Self.answer(shell.render(page, place: changes.place), status: status)
    }

    /// Sends a browser elsewhere.
    package static func redirect(to link: Link) -> GatewayResponse {
        GatewayResponse(status: .seeOther, headers: [.location: link.text])
    }

    private static func answer(
        _ html: String,
        status: HTTPResponse.Status = .ok,
        isCompressed: Bool = false
    ) -> GatewayResponse {
        var response = GatewayResponse.html(html, status: status)
        // Fast rather than small: a page is sent once.
        if isCompressed, let bytes = Gzip.compressed(html.utf8, level: 1) {
            response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
            response.headers[.contentEncoding] = "gzip"
        }
        response.headers[.vary] = "Accept-Encoding"
        response.headers[.contentSecurityPolicy] = policy
        response.headers[.referrerPolicy] = "same-origin"
        response.headers[.cacheControl] = "no-store"
        return response
    }

    /// Scripts and styles come from this server only; a page that a client's text could change cannot call out.
    ///
    /// The digests are those of what Plotly sets in charts: the style for the place of its buttons, and four attributes,
    /// which are none at all, sharp pixels, bold and italic. No other attribute passes.
    private static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-hashes' \
        'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o=' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' \
        'sha256-AR/cKIZjWPcPmBUPDA6oti9XBiTbJvz0Cro2J1VzzS8=' 'sha256-wkY2X5hecQzbhnFCqvTpwrUJ1f4X8LH5WFjYUzv1wmU=' \
        'sha256-r8zR3S6YuWY5tpo2Y0PvZHW5fa+SKLNon9zbEWb5UPA='; \
        img-src 'self' data: blob:; media-src 'self' blob:; \
        connect-src 'self'; font-src 'self'; frame-src 'self' blob:; form-action 'self'; base-uri 'self'; \
        frame-ancestors 'self'
        """

    private func asset(_ request: GatewayRequest) async throws -> GatewayResponse {
        guard let asset = Asset(rawValue: try request.parameter("name")) else {
            throw RequestError(.resourceDoesNotExist, "There is no such file.")
        }
        let content = asset.content
        var headers: HTTPFields = [
            .contentType: asset.mediaType, .cacheControl: "public, max-age=31536000, immutable",
        ]
        var bytes = content.bytes
        if asset.isCompressed {
            headers[.contentEncoding] = "gzip"
        } else if let compressed = content.compressed {
            headers[.vary] = "Accept-Encoding"
            if Gzip.isAccepted(request.headers) {
                headers[.contentEncoding] = "gzip"
                bytes = compressed
            }
        }
        return GatewayResponse(headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = HTTPField.Name("Referrer-Policy") ?? .referer
}
