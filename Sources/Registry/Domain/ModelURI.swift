/// What a `models:` URI points to.
///
/// - SeeAlso: `_parse_model_uri` in MLflow's `store/artifact/utils/models.py`.
enum ModelURI: Equatable {
    case loggedModel(id: String)
    case version(name: String, version: String)
    /// The highest version of a stage, or of all when nil.
    case latest(name: String, stage: String?)
    case alias(name: String, alias: String)

    /// Reads what follows the scheme; nil when it has no proper form.
    init?(path: String) {
        guard path.hasPrefix("/") else { return nil }
        let parts = path.drop { $0 == "/" }.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        guard let first = parts.first, parts.count <= 2, !Self.isBlank(first) else { return nil }
        if parts.count == 2 {
            let suffix = parts[1]
            guard !Self.isBlank(suffix) else { return nil }
            if suffix.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
                self = .version(name: first, version: suffix)
            } else {
                self = .latest(name: first, stage: suffix.lowercased() == "latest" ? nil : suffix)
            }
        } else if let at = first.lastIndex(of: "@") {
            let alias = String(first[first.index(after: at)...])
            guard !Self.isBlank(alias) else { return nil }
            self = .alias(name: String(first[..<at]), alias: alias)
        } else {
            self = .loggedModel(id: first)
        }
    }

    private static func isBlank(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.properties.isWhitespace }
    }
}
