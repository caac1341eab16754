import ApusKernel
import Yams

#if canImport(Glibc)
    import Glibc
#endif

/// Options from a YAML file: a flat mapping from names to values, such as `port: 8080`.
struct ConfigurationFile {
    private var values: [String: String] = [:]

    /// The names that mean something.
    static let names: Set<String> = [
        "data-dir", "database", "artifacts", "default-artifact-root", "serve-artifacts", "host", "port",
        "static-prefix", "allowed-hosts", "cors-allowed-origins", "log-level", "access-log", "metrics-names",
    ]

    /// - Throws: `RequestError` when the file cannot be read, is not such a mapping, or has an unknown name.
    init(path: String?) throws {
        guard let path else { return }
        guard let text = Self.read(path) else {
            throw RequestError.invalid("The configuration file '\(path)' cannot be read.")
        }
        guard let node = try? Yams.compose(yaml: text), let mapping = node.mapping else {
            throw RequestError.invalid("The configuration file '\(path)' is not a YAML mapping such as 'port: 8080'.")
        }
        for (key, value) in mapping {
            guard let name = key.string, Self.names.contains(name) else {
                let known = Self.names.sorted().joined(separator: ", ")
                throw RequestError.invalid(
                    "The configuration file '\(path)' has the unknown option '\(key.string ?? "")'. Known are: \(known)."
                )
            }
            let items = value.sequence.map { $0.compactMap(\.string).joined(separator: ",") }
            guard let text = items ?? value.scalar?.string else {
                throw RequestError.invalid("The option '\(name)' in '\(path)' must be a single value or a list.")
            }
            values[name] = text
        }
    }

    subscript(name: String) -> String? { values[name] }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < 1 << 20 {
            let count = fread(&piece, 1, piece.count, file)
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
