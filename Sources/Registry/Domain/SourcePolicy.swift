import ApusKernel
import Tracking

/// Which sources a version may have, besides those that runs and models own.
///
/// Sources are parsed when they are written and never opened.
package struct SourcePolicy: Sendable {
    /// Schemes whose URIs name a host that whoever opens them would dial.
    ///
    /// - SeeAlso: MLflow's `store/artifact/host_policy.py` and GHSA-mr9f-g8qf-4w4j.
    private static let hostSchemes: Set<String> = [
        "ftp", "sftp", "hdfs", "viewfs", "http", "https", "mlflow-artifacts", "r2", "b2", "abfss",
    ]

    private let pattern: String?
    private let allowedSchemes: Set<String>

    /// - Parameters:
    ///   - pattern: A regular expression that every source must match somewhere; nil for none.
    ///   - allowedSchemes: Schemes that may name hosts, such as `abfss`, in lower case.
    /// - Throws: When the pattern is not a regular expression.
    package init(pattern: String? = nil, allowedSchemes: Set<String> = []) throws {
        if let pattern { _ = try Regex(pattern) }
        self.pattern = pattern
        self.allowedSchemes = allowedSchemes
    }

    /// The policy that the environment asks for: `MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX` and
    /// `MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES`.
    package static func fromEnvironment() throws -> SourcePolicy {
        let pattern = environmentValue("MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX")
        let schemes = environmentValue("MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES") ?? ""
        return try SourcePolicy(
            pattern: pattern.flatMap { $0.isEmpty ? nil : $0 },
            allowedSchemes: Set(schemes.split { $0 == "," || $0 == " " }.map { $0.lowercased() })
        )
    }

    /// Refuses what no version may have, whoever owns it.
    func check(_ source: String) throws {
        _ = try Limits.checkLength(source, RegistryLimits.sourceLength, "source")
        guard source.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw RegistryError.invalidSource(quoted(source), why: "It contains control characters.")
        }
        if let pattern {
            let regex = try Regex(pattern)
            guard source.firstMatch(of: regex) != nil else {
                throw RequestError.invalid("Invalid model version source: '\(source)'.")
            }
        }
        let uri = SourceURI(source)
        guard Self.hostSchemes.contains(uri.scheme), !allowedSchemes.contains(uri.scheme) else { return }
        if uri.scheme == "mlflow-artifacts", uri.authority.isEmpty { return }
        throw RequestError.invalid(
            "'source' cannot use the '\(uri.scheme)' scheme: the '\(uri.scheme)' scheme addresses a host other than "
                + "the tracking server's configured artifact storage, so the server would connect to the host named "
                + "in the URI. Set the MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES environment variable on the "
                + "server to allow it."
        )
    }

    /// Refuses paths that are relative, climb, or could be read in two ways.
    static func checkAbsolute(_ source: String) throws {
        let decoded = ArtifactLocation.fullyDecoded(source)
        let pieces = decoded.split(omittingEmptySubsequences: false) { "/\\?#;=&".contains($0) }
        // Whatever is still encoded was encoded so often only to hide something.
        let isDecoded = ArtifactLocation.fullyDecoded(decoded) == decoded
        guard isDecoded, decoded.utf8.allSatisfy({ $0 >= 0x20 }), !pieces.contains("..") else {
            throw RegistryError.relativeSource(source)
        }
        let path = SourceURI(decoded).path
        let segments = path.split(separator: "/")
        guard path.hasPrefix("/"), !segments.isEmpty, !segments.contains(".") else {
            throw RegistryError.relativeSource(source)
        }
    }
}
