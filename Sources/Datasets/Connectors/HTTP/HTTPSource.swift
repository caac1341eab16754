import FoundationEssentials

/// An address on the web, with what it says about its owner taken out of it.
struct HTTPSource: Sendable, Equatable {
    /// Without a user's name and password, and without a fragment.
    let url: String
    /// `user:password` of an address that had them.
    let userInfo: String?
    /// Scheme, host and port: to whom credentials belong.
    let origin: String
    /// The last part of the path, decoded; nil when there is none.
    let name: String?
    let isSecure: Bool

    /// - Throws: ``ConnectorError``.
    init(_ text: String) throws {
        // The address is not repeated: it may hold a password.
        let bad = ConnectorError("This is not an address of the form https://host/path.")
        guard var parts = URLComponents(string: text), let host = parts.host, !host.isEmpty,
            let scheme = parts.scheme?.lowercased(), scheme == "http" || scheme == "https"
        else { throw bad }
        userInfo = parts.user.map { "\($0):\(parts.password ?? "")" }
        parts.user = nil
        parts.password = nil
        parts.fragment = nil
        parts.scheme = scheme
        guard let url = parts.string else { throw bad }
        self.url = url
        isSecure = scheme == "https"
        origin = "\(scheme)://\(host.lowercased()):\(parts.port ?? (isSecure ? 443 : 80))"
        name = parts.path.split(separator: "/").last.map(String.init)
    }

    /// The address that a redirect leads to.
    ///
    /// - Throws: ``ConnectorError`` for one that leaves HTTPS, or is none.
    func redirected(to location: String) throws -> HTTPSource {
        guard let base = URL(string: url), let next = URL(string: location, relativeTo: base) else {
            throw ConnectorError("The server redirects to something that is no address.")
        }
        let source = try HTTPSource(next.absoluteString)
        guard source.isSecure || !isSecure else {
            throw ConnectorError("The server redirects from https to http, which is not followed.")
        }
        return source
    }

    /// The address for people: without the query, which often holds a signature or a key.
    var shown: String {
        guard let question = url.firstIndex(of: "?") else { return url }
        return "\(url[..<question])?…"
    }
}
