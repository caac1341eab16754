package import Registry
import Tracking

/// What endpoints know of a version of a registered model.
package struct RegisteredVersion: Sendable {
    package let model: String
    package let version: String
    /// Where its files are.
    package let location: String

    package init(model: String, version: String, location: String) {
        self.model = model
        self.version = version
        self.location = location
    }
}

/// Finds versions of registered models.
package protocol ModelVersions: Sendable {
    /// - Throws: What the registry throws when there is no such version.
    func registered(_ version: String, of name: String) async throws -> RegisteredVersion
    /// - Throws: What the registry throws when there is no such alias.
    func registered(alias: String, of name: String) async throws -> RegisteredVersion
}

extension RegistryStore: ModelVersions {
    package func registered(_ version: String, of name: String) async throws -> RegisteredVersion {
        RegisteredVersion(try await self.version(version, of: name))
    }

    package func registered(alias: String, of name: String) async throws -> RegisteredVersion {
        RegisteredVersion(try await version(alias: alias, of: name))
    }
}

extension RegisteredVersion {
    fileprivate init(_ found: ModelVersion) {
        self.init(model: found.name, version: "\(found.version)", location: found.storageLocation)
    }
}

/// Turns what a person calls a version into one that can be deployed.
struct DeploymentResolver: Sendable {
    let versions: any ModelVersions

    struct Resolved: Sendable {
        let new: NewDeployment
        /// The alias, when the version was named by one.
        let alias: FollowedAlias?
    }

    /// `source`: `models:/wine/3` or `models:/wine@champion`.
    /// - Throws: ``ServingError`` `invalid` for another text, and for a version whose files are elsewhere; what the
    ///   registry throws for a version that does not exist.
    func resolve(_ source: String, settings: DeploymentSettings) async throws -> Resolved {
        guard source.hasPrefix("models:/"), let address = ModelAddress(argument: source) else {
            throw Self.noVersion(source)
        }
        let version: RegisteredVersion
        var alias: FollowedAlias?
        switch address.selector {
        case .model: throw Self.noVersion(source)
        case .version(let number): version = try await versions.registered(number, of: address.name)
        case .alias(let name):
            version = try await versions.registered(alias: name, of: address.name)
            alias = FollowedAlias(model: address.name, alias: name)
        }
        guard case .key? = try? ArtifactAddress(of: version.location) else {
            throw ServingError.invalid(
                "The files of version \(version.version) of '\(version.model)' are at '\(version.location.prefix(500))', "
                    + "which this server does not read. Register the model with artifacts on this server."
            )
        }
        let new = NewDeployment(
            model: version.model,
            version: version.version,
            source: source,
            location: version.location,
            settings: settings
        )
        return Resolved(new: new, alias: alias)
    }

    private static func noVersion(_ source: String) -> ServingError {
        .invalid("'\(source.prefix(500))' names no model version. Write models:/NAME/VERSION or models:/NAME@ALIAS.")
    }
}
