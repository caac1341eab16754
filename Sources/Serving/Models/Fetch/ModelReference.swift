import ArgumentParser

/// Where a model is, as MLflow's users write it.
///
/// - SeeAlso: https://mlflow.org/docs/latest/ml/model-registry/
package enum ModelReference: ExpressibleByArgument, Sendable, Equatable {
    /// Which version of a registered model is meant.
    package enum Selector: Sendable, Equatable {
        case version(String)
        case alias(String)
        case stage(String)
        case latest
    }

    /// `models:/wine/3`, `models:/wine@champion`, `models:/wine/Production`, `models:/wine`.
    case registered(name: String, Selector)
    /// `models:/m-0123…`.
    case logged(String)
    /// `runs:/<run>/model`.
    case run(String, path: String)
    /// A folder or a file of this machine, also as `file:///…`.
    case local(String)

    package init?(argument: String) {
        if let rest = Self.rest(of: argument, after: "models:/") {
            self.init(models: rest)
        } else if let rest = Self.rest(of: argument, after: "runs:/") {
            let parts = rest.split(separator: "/", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            self = .run(String(parts[0]), path: String(parts[1]))
        } else if argument.hasPrefix("file://") {
            let path = argument.dropFirst("file://".count)
            guard path.hasPrefix("/") else { return nil }
            self = .local(String(path))
        } else {
            guard !argument.isEmpty, !argument.contains("://") else { return nil }
            self = .local(argument)
        }
    }

    private init?(models text: Substring) {
        if let slash = text.lastIndex(of: "/") {
            let name = String(text[..<slash])
            let last = String(text[text.index(after: slash)...])
            guard !name.isEmpty, !last.isEmpty, !name.contains("/") else { return nil }
            let selector: Selector =
                last.lowercased() == "latest" ? .latest : Int64(last) != nil ? .version(last) : .stage(last)
            self = .registered(name: name, selector)
        } else if let at = text.lastIndex(of: "@"), at != text.startIndex {
            let alias = String(text[text.index(after: at)...])
            guard !alias.isEmpty else { return nil }
            self = .registered(name: String(text[..<at]), .alias(alias))
        } else if text.hasPrefix("m-") {
            self = .logged(String(text))
        } else {
            guard !text.isEmpty else { return nil }
            self = .registered(name: String(text), .latest)
        }
    }

    /// What follows a scheme, with one slash or with a host's three.
    private static func rest(of argument: String, after scheme: String) -> Substring? {
        guard argument.hasPrefix(scheme) else { return nil }
        return argument.dropFirst(scheme.count).drop { $0 == "/" }
    }
}
