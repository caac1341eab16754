import HTTPTypes

/// Refuses requests that a web page could have sent through a visitor's browser.
///
/// A page of another origin can reach a server on loopback when its name is made to resolve there (DNS rebinding),
/// or by a plain form. The first has a foreign `Host`, the second a foreign `Origin`.
package struct HostCheck: Sendable {
    /// Names beyond the built-in ones, in lower case without a port; `*` stands for any text.
    private let allowedHosts: [String]
    /// Full origins such as `https://ui.example.com`; `*` allows all.
    private let allowedOrigins: [String]
    private let isOff: Bool

    package init(allowedHosts: [String] = [], allowedOrigins: [String] = [], isOff: Bool = false) {
        self.allowedHosts = allowedHosts.map { Self.nameOnly($0.lowercased()) }
        self.allowedOrigins = allowedOrigins.map { $0.lowercased() }
        self.isOff = isOff
    }

    /// Returns why the request is refused, or nil.
    func refusal(_ head: HTTPRequest, isExempt: Bool) -> GatewayResponse? {
        guard !isOff else { return nil }
        guard isExempt || isAllowed(host: head.authority ?? "") else {
            let name = Self.nameOnly((head.authority ?? "").lowercased())
            return .text(
                """
                Invalid Host header - possible DNS rebinding attack detected. \
                To serve this host, start the server with --allowed-hosts \(Self.printable(name)).\n
                """,
                status: .forbidden
            )
        }
        let changesState = ![.get, .head, .options].contains(head.method)
        if changesState, let origin = head.headerFields[.origin], !isAllowed(origin: origin, host: head.authority ?? "")
        {
            return .text("Cross-origin request blocked\n", status: .forbidden)
        }
        return nil
    }

    /// Whether requests may name this host, given with or without a port.
    package func isAllowed(host: String) -> Bool {
        let name = Self.nameOnly(host.lowercased())
        if ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"].contains(name) || Self.isPrivate(name) { return true }
        return allowedHosts.contains { Self.matches(pattern: $0, name) }
    }

    /// The headers that let a page of an allowed origin read the answer.
    func crossOriginHeaders(for head: HTTPRequest) -> HTTPFields {
        guard let origin = head.headerFields[.origin], isAllowed(origin: origin, host: head.authority ?? "") else {
            return [:]
        }
        var headers: HTTPFields = [.accessControlAllowOrigin: origin, .vary: "Origin"]
        if head.method == .options {
            headers[.accessControlAllowMethods] = "GET, POST, PUT, PATCH, DELETE"
            headers[.accessControlAllowHeaders] = head.headerFields[.accessControlRequestHeaders] ?? "Content-Type"
            headers[.accessControlMaxAge] = "600"
        }
        return headers
    }

    private func isAllowed(origin: String, host: String) -> Bool {
        let origin = origin.lowercased()
        if allowedOrigins.contains("*") || allowedOrigins.contains(origin) { return true }
        guard let authority = origin.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first else {
            return false
        }
        if authority == host.lowercased() { return true }
        return ["localhost", "127.0.0.1", "[::1]"].contains(Self.nameOnly(String(authority)))
    }

    /// A host without its port.
    static func nameOnly(_ host: String) -> String {
        let isLiteral = host.hasPrefix("[")
        guard let end = isLiteral ? host.firstIndex(of: "]").map(host.index(after:)) : host.firstIndex(of: ":") else {
            return isLiteral ? "" : host
        }
        // Whatever is no port makes the whole no host.
        let port = host[end...].dropFirst()
        let isPort = host[end...].isEmpty || (host[end] == ":" && (1...5).contains(port.count) && UInt16(port) != nil)
        return isPort ? String(host[..<end]) : ""
    }

    /// Whether a name is an address of a private IPv4 range.
    static func isPrivate(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4, let first = parts[0], let second = parts[1], parts[2] != nil, parts[3] != nil else {
            return false
        }
        return first == 10 || first == 127 || (first == 172 && (16...31).contains(second))
            || (first == 192 && second == 168)
    }

    /// Whether a name matches a pattern in which each `*` stands for any text.
    static func matches(pattern: String, _ name: String) -> Bool {
        let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard let first = pieces.first, let last = pieces.last, pieces.count > 1 else { return pattern == name }
        guard name.hasPrefix(first), name.utf8.count >= first.utf8.count + last.utf8.count else { return false }
        var rest = name.dropFirst(first.count)
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let found = rest.firstRange(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.hasSuffix(last)
    }

    private static func printable(_ name: String) -> String {
        String(name.unicodeScalars.filter { $0.value > 0x20 && $0.value < 0x7F }.map(Character.init).prefix(255))
    }
}
