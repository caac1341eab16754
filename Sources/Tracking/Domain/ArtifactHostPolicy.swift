import ApusKernel

/// Which hosts the locations and sources that clients choose may name.
///
/// A location whose scheme names a host makes whoever opens it dial that host. The server itself opens none; it does
/// not pass such a trap on to clients either. Trusted are only the hosts of the operator's own storage.
///
/// - SeeAlso: MLflow's `store/artifact/host_policy.py` and GHSA-mr9f-g8qf-4w4j.
package struct ArtifactHostPolicy: Sendable {
    private static let schemes: Set<String> = [
        "ftp", "sftp", "hdfs", "viewfs", "http", "https", "mlflow-artifacts", "r2", "b2", "abfss",
    ]
    /// Schemes that reach the same service.
    private static let families = ["viewfs": "hdfs", "https": "http", "mlflow-artifacts": "http"]
    /// What a scheme without a port may dial; HDFS takes its port from a configuration that is not seen here.
    private static let ports: [String: [Int]] = [
        "ftp": [21], "sftp": [22], "http": [80], "https": [443], "mlflow-artifacts": [80, 443], "r2": [443],
        "b2": [443], "abfss": [443],
    ]

    private struct Target: Hashable {
        let family: String
        let host: String
        let port: Int?
    }

    private let trusted: Set<Target>
    private let allowedSchemes: Set<String>

    /// - Parameters:
    ///   - storage: The operator's own locations, whose hosts are trusted.
    ///   - allowedSchemes: Schemes that may name any host, such as `abfss`, in lower case.
    package init(storage: [String] = [], allowedSchemes: Set<String> = []) {
        trusted = Set(storage.flatMap { Self.targets(of: ArtifactURI($0)) ?? [] })
        self.allowedSchemes = allowedSchemes
    }

    /// The policy with the schemes of `MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES`, separated by commas.
    package static func fromEnvironment(storage: [String]) -> ArtifactHostPolicy {
        let schemes = environmentValue("MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES") ?? ""
        return ArtifactHostPolicy(
            storage: storage,
            allowedSchemes: Set(schemes.split { $0 == "," || $0 == " " }.map { $0.lowercased() })
        )
    }

    /// Refuses a location that names a host which is not the operator's.
    ///
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE`.
    package func check(_ location: String, field: String) throws {
        let uri = ArtifactURI(location)
        guard Self.schemes.contains(uri.scheme), !allowedSchemes.contains(uri.scheme) else { return }
        if uri.scheme == "mlflow-artifacts", uri.authority.isEmpty { return }
        if let targets = Self.targets(of: uri), !trusted.isDisjoint(with: targets) { return }
        throw RequestError.invalid(
            "'\(field)' cannot use the '\(uri.scheme)' scheme: the '\(uri.scheme)' scheme addresses a host other than "
                + "the tracking server's configured artifact storage, so the server would connect to the host named "
                + "in the URI. Set the MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES environment variable on the "
                + "server to allow it."
        )
    }

    /// What a location may dial; nil when it names no host, or one that clients would read in two ways.
    private static func targets(of uri: ArtifactURI) -> Set<Target>? {
        guard schemes.contains(uri.scheme), uri.scheme != "mlflow-artifacts" || !uri.authority.isEmpty,
            // HTTP clients end the host at a backslash where others go on.
            !uri.authority.contains(where: { $0 == "\\" || $0.isWhitespace })
        else { return nil }
        let port: Int?
        do { port = try uri.port() } catch { return nil }
        let family = families[uri.scheme] ?? uri.scheme
        let found = port.map { [$0] } ?? ports[uri.scheme] ?? []
        let targets = found.map { Target(family: family, host: uri.host, port: $0) }
        return targets.isEmpty ? [Target(family: family, host: uri.host, port: nil)] : Set(targets)
    }
}
