import ApusKernel
import ApusVault

#if canImport(Glibc)
    import Glibc
#endif

/// Checks locations that clients choose for artifacts.
///
/// The server never opens such a location: it is text that is handed back to clients. What could be pasted into a
/// path that climbs, or names a host that somebody might dial, is refused all the same.
package enum ArtifactLocation {
    /// Schemes of what is no storage.
    private static let refusedSchemes: Set<String> = ["runs", "models", "data", "javascript"]

    /// Returns a client's location as it is stored: unchanged for a URI, absolute for a path.
    ///
    /// - Throws: ``RequestError`` `INVALID_PARAMETER_VALUE`.
    package static func checked(_ location: String, hosts: ArtifactHostPolicy) throws -> String {
        try hosts.check(location, field: "artifact_location")
        return try checked(location)
    }

    /// Returns a location that the operator chose, as it is stored: any host may be named.
    package static func checked(_ location: String) throws -> String {
        guard !location.isEmpty else { return "" }
        _ = try Limits.checkLength(location, Limits.artifactLocationLength, "artifact_location")
        if location.hasPrefix("runs:") {
            throw RequestError.invalid("Artifact location cannot be a runs:/ URI. Given: '\(location)'")
        }
        guard location.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw RequestError.invalid("'artifact_location' can't include control characters.")
        }
        guard !location.contains("#"), !location.contains(";") else {
            throw RequestError.invalid("'artifact_location' URL can't include fragments or params.")
        }
        let decoded = fullyDecoded(location)
        let query = decoded.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().first
        if query?.contains("..") ?? false { throw RequestError.invalid("Invalid query string") }
        let segments = decoded.split { $0 == "/" || $0 == "\\" || $0 == "?" || $0 == ":" }
        guard !segments.contains("..") else {
            throw RequestError.invalid("Invalid artifact location: '\(location)' must not contain '..'.")
        }
        // Below a number lie the artifacts of the experiment of that number.
        if let key = (try? ArtifactAddress(of: location))?.key, let first = key.segments.first, Int64(first) != nil {
            throw RequestError.invalid(
                "Invalid artifact location: '\(location)' belongs to an experiment. Choose a name that is no number."
            )
        }
        if let scheme = scheme(of: location) {
            guard !refusedSchemes.contains(scheme) else {
                throw RequestError.invalid("'artifact_location' has the scheme '\(scheme)', which is not allowed.")
            }
            return location
        }
        return location.hasPrefix("/") ? location : "\(workingDirectory())/\(location)"
    }

    /// The scheme of a URI in lower case; nil for a path.
    package static func scheme(of location: String) -> String? {
        guard let colon = location.firstIndex(of: ":") else { return nil }
        let scheme = location[..<colon]
        guard scheme.count > 1, let first = scheme.unicodeScalars.first, first.properties.isAlphabetic,
            scheme.unicodeScalars.allSatisfy({
                $0.isASCII && (Limits.isWordScalar($0) || "+-.".unicodeScalars.contains($0))
            })
        else { return nil }
        return scheme.lowercased()
    }

    /// Undoes percent-encoding until nothing changes, at most ten times.
    package static func fullyDecoded(_ text: String) -> String {
        var text = text
        for _ in 0..<10 {
            let decoded = decodedOnce(text)
            if decoded == text { break }
            text = decoded
        }
        return text
    }

    private static func decodedOnce(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(Hexadecimal.value),
                let low = rest.dropFirst().first.flatMap(Hexadecimal.value)
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func workingDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "" }
        defer { free(path) }
        return String(cString: path)
    }
}
