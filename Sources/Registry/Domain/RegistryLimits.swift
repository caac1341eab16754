import ApusKernel
import Tracking

/// The registry's rules for names, tags, aliases and version numbers, in MLflow's words.
///
/// Lengths count Unicode scalars, as Python's `len` does.
///
/// - SeeAlso: `mlflow/utils/validation.py`.
enum RegistryLimits {
    static let nameLength = 256
    static let descriptionLength = 100_000
    static let tagKeyLength = 250
    static let tagValueLength = 100_000
    static let aliasLength = 255
    static let sourceLength = 4_096
    static let runLinkLength = 4_096
    static let runIDLength = 256
    static let tagsPerRequest = 1_000
    static let modelsPerPage: Int64 = 1_000
    static let versionsPerPage: Int64 = 200_000

    /// Checks a registered model's name.
    static func checkName(_ name: String, field: String = "name") throws {
        guard name.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
            throw RequestError.invalid("Missing value for required parameter '\(field)'.")
        }
        guard !name.utf8.contains(UInt8(ascii: "/")), !name.utf8.contains(UInt8(ascii: ":")) else {
            throw RequestError.invalid("Invalid model name '\(name)'. Names cannot contain '/' or ':'.")
        }
        let normal = normalizedPath(name)
        guard normal == name, normal != ".", !normal.hasPrefix("..") else {
            throw RequestError.invalid(
                "Invalid value \(quoted(name)) for parameter 'name' supplied: "
                    + "Names may be treated as files in certain cases, and must not resolve to other names when "
                    + "treated as such. This name would resolve to '\(normal)'"
            )
        }
        guard name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw RequestError.invalid("Invalid model name \(quoted(name)). Names cannot contain control characters.")
        }
        _ = try Limits.checkLength(name, nameLength, field)
    }

    /// Checks a tag of a registered model.
    static func checkTag(_ tag: KeyValue) throws {
        try Limits.checkName(tag.key, path: "key")
        _ = try Limits.checkLength(tag.key, tagKeyLength, "key")
        _ = try Limits.checkLength(tag.value, tagValueLength, "value")
    }

    /// Checks a tag of a version; the text of a prompt is one.
    static func checkVersionTag(_ tag: KeyValue) throws {
        if tag.key == Prompt.textKey, tag.value.unicodeScalars.count > tagValueLength {
            throw RequestError.invalid("Prompt text exceeds max length of \(tagValueLength) characters.")
        }
        try checkTag(tag)
    }

    /// Checks the number of tags and leaves one for each key, the last.
    static func distinct(_ tags: [KeyValue]) throws -> [KeyValue] {
        guard tags.count <= tagsPerRequest else {
            throw RequestError.invalid("A request can contain at most \(tagsPerRequest) tags. Got \(tags.count) tags.")
        }
        return tags.lastOfEachKey()
    }

    /// Checks an alias's spelling; with `isNew` also that it is not reserved.
    static func checkAlias(_ alias: String, isNew: Bool = false) throws {
        guard !alias.isEmpty else { throw RequestError.invalid("Registered model alias name cannot be empty.") }
        guard alias.unicodeScalars.allSatisfy({ $0 == "-" || isWord($0) }) else {
            throw RequestError.invalid(
                "Invalid alias name: '\(alias)'. "
                    + "Names may only contain alphanumerics, underscores (_), and dashes (-)."
            )
        }
        _ = try Limits.checkLength(alias, aliasLength, "Registered model alias name")
        guard isNew else { return }
        guard !isLatest(alias) else {
            throw RequestError.invalid("'latest' alias name (case insensitive) is reserved.")
        }
        let rest = alias.unicodeScalars.dropFirst()
        let isVersion =
            alias.lowercased().hasPrefix("v") && !rest.isEmpty
            && rest.allSatisfy { $0.properties.generalCategory == .decimalNumber }
        guard !isVersion else { throw RequestError.invalid("Version alias name '\(alias)' is reserved.") }
    }

    /// Whether the alias stands for the version with the highest number.
    static func isLatest(_ alias: String) -> Bool { alias.lowercased() == "latest" }

    /// Reads a version number.
    static func version(_ text: String) throws -> Int64 {
        let trimmed = text.drop { $0 == " " }
        let digits = trimmed.prefix { $0 != " " }
        guard trimmed.dropFirst(digits.count).allSatisfy({ $0 == " " }), let number = Int64(digits) else {
            throw RequestError.invalid("Parameter 'version' must be an integer, got '\(text)'.")
        }
        return number
    }

    /// What `\w` matches in Python.
    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            true
        default: scalar == "_"
        }
    }
}
