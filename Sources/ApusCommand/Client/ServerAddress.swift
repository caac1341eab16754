import FoundationEssentials

/// Where the server is: scheme, host, port and a path that a proxy may put before everything.
package struct ServerAddress: Sendable, Equatable, CustomStringConvertible {
    /// The server of somebody who has set up nothing.
    package static let standard = "http://127.0.0.1:5000"
    /// The variables that name a server, the first one set wins.
    package static let variables = ["APUS_SERVER", "MLFLOW_TRACKING_URI"]

    /// The address without a trailing slash and without credentials.
    package let text: String
    /// `user:password` of an address that holds them.
    package let userInfo: String?

    /// Whether the server is on this machine, so that nothing goes over a wire.
    package let isLoopback: Bool

    package var description: String { text }

    /// Reads `http://host:port`, `https://host/prefix`, or `host:port`, which means http.
    ///
    /// - Parameters:
    ///   - text: The address.
    ///   - origin: Where it was found, for the message: `--server`, `MLFLOW_TRACKING_URI`.
    /// - Throws: ``CommandFailure`` for wrong usage.
    package init(_ text: String, from origin: String) throws {
        let whole = text.contains("://") ? text : "http://\(text)"
        guard let parts = URLComponents(string: whole), let host = parts.host, !host.isEmpty,
            let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme),
            parts.query == nil, parts.fragment == nil, !PrintableText.line(text).contains("\u{FFFD}")
        else {
            throw CommandFailure.usage(
                "'\(Self.redacted(text))' (from \(origin)) is not the address of a server",
                hint: "Use one like \(Self.standard), in --server or in the variable APUS_SERVER."
            )
        }
        var path = parts.percentEncodedPath
        while path.hasSuffix("/") { path.removeLast() }
        let port = parts.port.map { ":\($0)" } ?? ""
        let plainHost = parts.percentEncodedHost ?? host
        isLoopback = ["localhost", "127.0.0.1", "[::1]", "::1"].contains(plainHost.lowercased())
        self.text = "\(scheme)://\(plainHost)\(port)\(path)"
        userInfo = parts.user.map { "\($0):\(parts.password ?? "")" }
    }

    /// The address that the command line or the environment names, else the standard one.
    ///
    /// - Throws: ``CommandFailure`` for wrong usage.
    package static func resolve(option: String?, environment: Environment) throws -> ServerAddress {
        if let option { return try ServerAddress(option, from: "--server") }
        if let (name, value) = environment.first(of: variables) { return try ServerAddress(value, from: name) }
        return try ServerAddress(standard, from: "the default")
    }

    /// The text without what stands before an `@`, which may be a password.
    private static func redacted(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@") else { return text }
        return "…" + text[at...]
    }
}
