import ApusCommand
import ArgumentParser

/// What a person calls a model or one of its versions: `churn`, `churn/3`, `churn@champion`, also after `models:/`.
package struct ModelAddress: ExpressibleByArgument, Sendable, Equatable {
    /// What follows the name.
    package enum Selector: Sendable, Equatable {
        case model
        case version(String)
        case alias(String)
    }

    package let name: String
    package let selector: Selector

    package init?(argument: String) {
        let text = argument.hasPrefix("models:/") ? String(argument.dropFirst("models:/".count)) : argument
        // A name holds no slash, but it may hold an at sign.
        if let slash = text.firstIndex(of: "/") {
            name = String(text[..<slash])
            let version = String(text[text.index(after: slash)...])
            guard Int64(version) != nil else { return nil }
            selector = .version(version)
        } else if let at = text.lastIndex(of: "@"), at != text.startIndex, text.index(after: at) != text.endIndex {
            name = String(text[..<at])
            selector = .alias(String(text[text.index(after: at)...]))
        } else {
            name = text
            selector = .model
        }
        if name.isEmpty { return nil }
    }

    /// The name and, for a reference to a version, its number.
    ///
    /// - Throws: ``CommandFailure`` when the alias leads to no version.
    func resolve(_ client: APIClient) async throws -> (name: String, version: String?) {
        switch selector {
        case .model: return (name, nil)
        case .version(let version): return (name, version)
        case .alias(let alias):
            let answer = try await client.call(
                .get,
                "registered-models/alias",
                ["name": .string(name), "alias": .string(alias)]
            )
            return (name, answer["model_version"]["version"].text)
        }
    }

    /// The name and the number of the version that is meant.
    ///
    /// - Throws: ``CommandFailure`` when this is a model and not a version.
    func resolveVersion(_ client: APIClient) async throws -> (name: String, version: String) {
        let (name, version) = try await resolve(client)
        guard let version else {
            throw CommandFailure.usage("'\(name)' is not a version", hint: "Write \(name)/1 or \(name)@alias.")
        }
        return (name, version)
    }

    /// The model itself.
    ///
    /// - Throws: ``CommandFailure`` when this is a version.
    func model() throws -> String {
        guard selector == .model else {
            throw CommandFailure.usage("this needs a model and not one of its versions", hint: "Write \(name).")
        }
        return name
    }
}
