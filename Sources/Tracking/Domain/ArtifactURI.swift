import ApusKernel

/// A location or source cut into its parts, as Python's `urlsplit` does it, which is how clients will read it.
package struct ArtifactURI: Equatable {
    /// In lower case; empty for a path.
    package let scheme: String
    /// What stands between `//` and the next `/`, `?` or `#`.
    package let authority: String
    package let path: String
    package let query: String
    package let fragment: String

    package init(_ text: String) {
        var rest = text[...]
        var scheme = ""
        if let colon = rest.firstIndex(of: ":"), let found = Self.scheme(rest[..<colon]) {
            scheme = found
            rest = rest[rest.index(after: colon)...]
        }
        var authority = ""
        if rest.hasPrefix("//") {
            let afterSlashes = rest.dropFirst(2)
            let end = afterSlashes.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? afterSlashes.endIndex
            authority = String(afterSlashes[..<end])
            rest = afterSlashes[end...]
        }
        let beforeFragment = rest.prefix { $0 != "#" }
        fragment = String(rest[beforeFragment.endIndex...].dropFirst())
        let beforeQuery = beforeFragment.prefix { $0 != "?" }
        query = String(beforeFragment[beforeQuery.endIndex...].dropFirst())
        path = String(beforeQuery)
        self.scheme = scheme
        self.authority = authority
    }

    private static func scheme(_ text: Substring) -> String? {
        guard let first = text.utf8.first, Self.isLetter(first) else { return nil }
        let isScheme = text.utf8.allSatisfy { byte in
            isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }
        return isScheme ? text.lowercased() : nil
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// The host without user, port and brackets, in lower case; empty when there is none.
    package var host: String {
        let afterUser = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        if afterUser.hasPrefix("[") { return afterUser.dropFirst().prefix { $0 != "]" }.lowercased() }
        return afterUser.prefix { $0 != ":" }.lowercased()
    }

    /// The port that is written; nil when there is none.
    ///
    /// - Throws: ``RequestError`` when what stands there is no port.
    package func port() throws -> Int? {
        let afterUser = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        let afterHost =
            afterUser.hasPrefix("[") ? afterUser.drop { $0 != "]" }.dropFirst() : afterUser.drop { $0 != ":" }
        guard afterHost.hasPrefix(":"), afterHost.count > 1 else { return nil }
        guard afterHost.dropFirst().utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = Int(afterHost.dropFirst()), (0...65_535).contains(port)
        else { throw RequestError.invalid("'\(authority)' names no port from 0 to 65535.") }
        return port
    }

    /// The segments of the path, each decoded until nothing changes, without empty ones.
    package var segments: [String] {
        path.split(separator: "/").map { ArtifactLocation.fullyDecoded(String($0)) }
    }

    /// Whether it lies at or below `root`: same scheme, same host, and the root's segments first.
    package func isWithin(_ root: ArtifactURI) -> Bool {
        let outer = root.segments
        let inner = segments
        return scheme == root.scheme && authority.lowercased() == root.authority.lowercased() && !outer.isEmpty
            && inner.count >= outer.count
            && zip(inner, outer).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }

    /// Whether it names a file of the machine it is read on.
    package var isLocal: Bool { scheme.isEmpty || scheme == "file" }

    /// Whether it goes through the artifact proxy of an MLflow server.
    package var isProxied: Bool {
        if scheme == "mlflow-artifacts" { return true }
        guard scheme == "http" || scheme == "https" else { return false }
        let route = ["api", "2.0", "mlflow-artifacts", "artifacts"]
        let parts = segments
        guard parts.count >= route.count else { return false }
        return (0...(parts.count - route.count)).contains { Array(parts[$0..<($0 + route.count)]) == route }
    }
}
