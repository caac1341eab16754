import ApusKernel

/// The limits of MLflow's store, and its words for exceeding them.
///
/// Lengths count Unicode scalars, as Python's `len` does.
///
/// - SeeAlso: `mlflow/utils/validation.py`.
package enum Limits {
    package static let metricsPerBatch = 1000
    package static let paramsPerBatch = 100
    package static let tagsPerBatch = 100
    package static let entitiesPerBatch = 1000
    /// Tags that a new experiment or run may bring along.
    package static let tagsPerCreation = 1000
    package static let userLength = 256
    package static let modelsPerCall = 1000
    package static let datasetsPerCall = 1000
    package static let keyLength = 250
    package static let paramValueLength = 6000
    package static let tagValueLength = 8000
    package static let experimentNameLength = 500
    package static let experimentTagValueLength = 20_000
    package static let artifactLocationLength = 2048
    package static let searchResults: Int64 = 50_000

    /// Whether values that are too long are cut, as MLflow does by default, or refused.
    package static let truncatesLongValues = environmentFlag("MLFLOW_TRUNCATE_LONG_VALUES", default: true)

    /// Checks a metric's, param's or tag's key.
    package static func checkName(_ name: String, path: String) throws {
        guard name.unicodeScalars.allSatisfy(isNameScalar) else {
            throw invalid(
                name,
                path,
                "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:)"
                    + " and slashes (/)."
            )
        }
        let normal = normalizedPath(name)
        guard normal == name, normal != ".", !normal.hasPrefix(".."), !normal.hasPrefix("/") else {
            throw invalid(
                name,
                path,
                "Names may be treated as files in certain cases, and must not resolve to other names when treated as "
                    + "such. This name would resolve to '\(normal)'"
            )
        }
    }

    /// Returns the value, cut to the limit where that is the rule.
    package static func checkLength(_ value: String, _ limit: Int, _ name: String, truncate: Bool = false) throws
        -> String
    {
        // A scalar has at most four bytes, so short texts need not be counted.
        guard value.utf8.count > limit, value.unicodeScalars.count > limit else { return value }
        if truncate, truncatesLongValues { return String(String.UnicodeScalarView(value.unicodeScalars.prefix(limit))) }
        throw RequestError.invalid("'\(name)' exceeds the maximum length of \(limit) characters")
    }

    /// Checks a run's tag and returns it with its value cut to the limit.
    package static func runTag(_ tag: KeyValue, path: String = "") throws -> KeyValue {
        let keyPath = path.isEmpty ? "key" : "\(path).key"
        try checkName(tag.key, path: keyPath)
        _ = try checkLength(tag.key, keyLength, keyPath)
        let valuePath = path.isEmpty ? "value" : "\(path).value"
        return KeyValue(key: tag.key, value: try checkLength(tag.value, tagValueLength, valuePath, truncate: true))
    }

    /// Checks a param and returns it with its value cut to the limit.
    package static func param(_ param: KeyValue, path: String = "") throws -> KeyValue {
        try checkName(param.key, path: path.isEmpty ? "key" : "\(path).key")
        _ = try checkLength(param.key, keyLength, "Param key")
        return KeyValue(
            key: param.key,
            value: try checkLength(param.value, paramValueLength, "Param value", truncate: true)
        )
    }

    /// Checks how many tags a new experiment or run brings along.
    package static func checkCreationTags(_ tags: [KeyValue]) throws {
        guard tags.count > tagsPerCreation else { return }
        throw RequestError.invalid(
            "A new experiment or run can have at most \(tagsPerCreation) tags. Got \(tags.count) tags."
        )
    }

    /// Checks a metric's key and timestamp.
    package static func metric(_ point: MetricPoint, path: String = "") throws {
        try checkName(point.key, path: path.isEmpty ? "name" : "\(path).name")
        guard point.timestamp >= 0 else {
            throw RequestError.invalid(
                "Invalid value \(point.timestamp) for parameter '\(path.isEmpty ? "timestamp" : "\(path).timestamp")' "
                    + "supplied: metric '\(point.key)' (value=\(point.shownValue)). "
                    + "Timestamp must be a nonnegative long (64-bit integer) "
            )
        }
        _ = try checkLength(point.key, keyLength, "Metric name")
    }

    /// Checks the shape of a run identifier.
    package static func runID(_ id: String) throws {
        let scalars = id.unicodeScalars
        let isValid =
            scalars.first.map { $0.isASCII && $0.properties.isAlphabetic || ("0"..."9").contains($0) } ?? false
            && scalars.count <= 256 && scalars.dropFirst().allSatisfy { isWordScalar($0) || $0 == "-" }
        guard isValid else {
            throw RequestError.invalid("Invalid value \(quoted(id)) for parameter 'run_id' supplied.")
        }
    }

    private static func invalid(_ value: String, _ path: String, _ why: String) -> RequestError {
        .invalid("Invalid value \(quoted(value)) for parameter '\(path)' supplied: \(why)")
    }

    private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "/", ".", "-", " ", ":": true
        default: isWordScalar(scalar)
        }
    }

    /// What `\w` matches in Python.
    static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                || scalar == "_"
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            return true
        default: return false
        }
    }
}

/// A text as a JSON string, for messages.
package func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars.prefix(1_000) {
        switch scalar {
        case "\"", "\\": result += "\\\(scalar)"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

/// A path without `.`, `..` and empty segments, as Python's `posixpath.normpath` makes it.
package func normalizedPath(_ path: String) -> String {
    guard !path.isEmpty else { return "." }
    let isAbsolute = path.hasPrefix("/")
    let root = isAbsolute ? (path.hasPrefix("//") && !path.hasPrefix("///") ? "//" : "/") : ""
    var kept: [Substring] = []
    for segment in path.split(separator: "/") where segment != "." {
        if segment != ".." || (!isAbsolute && kept.isEmpty) || kept.last == ".." {
            kept.append(segment)
        } else if !kept.isEmpty {
            kept.removeLast()
        }
    }
    let joined = root + kept.joined(separator: "/")
    return joined.isEmpty ? "." : joined
}
