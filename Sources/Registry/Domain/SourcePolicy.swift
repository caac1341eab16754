import ApusKernel
package import Tracking

/// Which sources a version may have, besides those that runs and models own.
///
/// Sources are parsed when they are written and never opened.
package struct SourcePolicy: Sendable {
    private let pattern: String?
    private let hosts: ArtifactHostPolicy

    /// - Parameters:
    ///   - pattern: A regular expression that every source must match somewhere; nil for none.
    ///   - hosts: Which hosts sources may name.
    /// - Throws: When the pattern is not a regular expression.
    package init(pattern: String? = nil, hosts: ArtifactHostPolicy = ArtifactHostPolicy()) throws {
        if let pattern { _ = try Regex(pattern) }
        self.pattern = pattern
        self.hosts = hosts
    }

    /// The policy with the pattern that `MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX` asks for.
    package static func fromEnvironment(hosts: ArtifactHostPolicy) throws -> SourcePolicy {
        let pattern = environmentValue("MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX")
        return try SourcePolicy(pattern: pattern.flatMap { $0.isEmpty ? nil : $0 }, hosts: hosts)
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
        try hosts.check(source, field: "source")
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
        let path = ArtifactURI(decoded).path
        let segments = path.split(separator: "/")
        guard path.hasPrefix("/"), !segments.isEmpty, !segments.contains(".") else {
            throw RegistryError.relativeSource(source)
        }
    }
}
