import ApusGateway
import ApusKernel
package import ApusVault

/// Where in this server's own tree of artifacts a location points.
///
/// A location is what a run or a logged model holds as its artifact URI. Only its path counts: a host that it names is
/// never asked. Whatever is not below our own root stays text that the server hands back and never opens.
package enum ArtifactAddress: Sendable, Equatable {
    /// The root of the tree.
    case root
    /// A place below it.
    case key(ArtifactKey)

    private static let proxy = "/api/2.0/mlflow-artifacts/artifacts"

    /// Reads `mlflow-artifacts:/…`, `mlflow-artifacts://host/…` or `http(s)://host/api/2.0/mlflow-artifacts/artifacts/…`.
    ///
    /// The path is decoded once, as it is when a client uses the location as an address.
    ///
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE` for any other location, and `Invalid path` for a path that
    ///   is no ``ArtifactKey``.
    package init(of location: String) throws {
        guard let path = Self.path(of: location) else { throw Self.foreign(location) }
        let trimmed = path.drop { $0 == "/" }
        let decoded = try percentDecoded(trimmed[..<Self.end(of: trimmed)])
        self = decoded.isEmpty ? .root : .key(try ArtifactKey(validating: decoded))
    }

    /// The key, or nil for the root.
    package var key: ArtifactKey? {
        switch self {
        case .root: nil
        case .key(let key): key
        }
    }

    /// The key of a file below, from a client's text.
    ///
    /// As MLflow reads it: `a//b`, `./a/b` and `a/b/` are `a/b`.
    ///
    /// - Throws: ``RequestError`` `Invalid path`, also for a text that names this place itself.
    package func appending(_ path: String) throws -> ArtifactKey {
        guard !path.isEmpty, case .key(let below) = try ArtifactAddress.root.directory(path) else {
            throw ArtifactKey.invalidPath
        }
        return try key?.appending(below) ?? below
    }

    /// The place of a directory below, from a client's text; empty or `.` for this place itself.
    ///
    /// - Throws: ``RequestError`` `Invalid path`.
    package func directory(_ path: String) throws -> ArtifactAddress {
        // An absolute path stays one, and is refused below.
        let segments = path.hasPrefix("/") ? [path[...]] : path.split(separator: "/").filter { $0 != "." }
        guard !segments.isEmpty else { return self }
        let below = try ArtifactKey(validating: segments.joined(separator: "/"))
        return .key(try key?.appending(below) ?? below)
    }

    /// What is answered for a location that is not ours.
    static func foreign(_ location: String) -> RequestError {
        let scheme = ArtifactLocation.scheme(of: location)
        return .invalid(
            "This server does not read artifacts from \(scheme.map { "'\($0):' locations" } ?? "paths"). "
                + "Ask the storage itself for what is below '\(location.prefix(1_000))'."
        )
    }

    private static func path(of location: String) -> Substring? {
        // Segments come before a query, so what is behind it never names an artifact.
        let location = location.prefix { $0 != "?" && $0 != "#" }
        guard let colon = location.firstIndex(of: ":") else { return nil }
        let rest = location[location.index(after: colon)...]
        let path = rest.hasPrefix("//") ? rest.dropFirst(2).drop { $0 != "/" } : rest
        switch location[..<colon].lowercased() {
        case "mlflow-artifacts": return path
        case "http", "https":
            guard rest.hasPrefix("//"), let proxy = path.firstRange(of: proxy) else { return nil }
            let below = path[proxy.upperBound...]
            return below.isEmpty || below.hasPrefix("/") ? below : nil
        default: return nil
        }
    }

    private static func end(of text: Substring) -> Substring.Index {
        text.lastIndex { $0 != "/" }.map { text.index(after: $0) } ?? text.startIndex
    }
}
