/// A stable name with versions of models behind it.
package struct Endpoint: Sendable, Equatable {
    /// The key inside the database.
    package let id: Int64
    package let name: String
    package var spec: EndpointSpec
    /// What is changing now.
    package var rollout: Rollout?
    /// The last change that came to its end.
    package var lastRollout: Rollout?
    /// The deployments that ``spec`` and ``rollout`` name, by number.
    package var deployments: [Int64: Deployment] = [:]
    /// Counts the settled states, from 1.
    package var revision: Int64
    package var isDeleted = false
    /// Milliseconds since 1970.
    package var created: Int64
    package var updated: Int64

    /// An endpoint whose settled state is `spec`.
    package init(id: Int64, name: String, spec: EndpointSpec, revision: Int64, created: Int64, updated: Int64) {
        self.id = id
        self.name = name
        self.spec = spec
        self.revision = revision
        self.created = created
        self.updated = updated
    }

    /// The deployment that answers when no rollout says otherwise.
    package var stable: Deployment? { spec.stable.flatMap { deployments[$0] } }

    /// The numbers of the deployments that are to be loaded.
    package var wanted: Set<Int64> {
        guard !isDeleted else { return [] }
        var numbers: Set<Int64> = Set(rollout?.candidates.map(\.deployment) ?? [])
        if let stable = spec.stable { numbers.insert(stable) }
        if let standby = spec.standby { numbers.insert(standby) }
        return numbers
    }
}

/// The settled state of an endpoint; every revision is one.
package struct EndpointSpec: Sendable, Equatable, Codable {
    package var description = ""
    /// The deployment that answers.
    package var stable: Int64?
    /// One that stays loaded, to be switched to at once.
    package var standby: Int64?
    /// The alias whose moves the endpoint follows; nil for none.
    package var following: FollowedAlias?
    /// How the endpoint changes when nothing else is said.
    package var strategy = Strategy()
    package var settings = DeploymentSettings()

    package init() {}
}

/// An alias in the registry.
package struct FollowedAlias: Sendable, Equatable, Codable {
    package var model: String
    package var alias: String
}

/// A settled state, and how it came about.
package struct EndpointRevision: Sendable, Equatable {
    package let revision: Int64
    package let spec: EndpointSpec
    package let action: String
    package let actor: String
    package let reason: String
    /// Milliseconds since 1970.
    package let time: Int64

    package init(
        revision: Int64,
        spec: EndpointSpec,
        action: String,
        actor: String,
        reason: String,
        time: Int64
    ) {
        self.revision = revision
        self.spec = spec
        self.action = action
        self.actor = actor
        self.reason = reason
        self.time = time
    }
}

/// The rules for names of endpoints.
enum EndpointLimits {
    /// What stands in paths of every protocol and in labels of metrics must be plain.
    static func check(name: String) throws {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isPlain, (1...128).contains(name.utf8.count), name.first != ".", name.first != "-" else {
            throw ServingError.invalid(
                "'\(name.prefix(200))' is no name for an endpoint. Use up to 128 letters, digits, '-', '_' and '.'; "
                    + "the first one a letter, a digit or '_'."
            )
        }
    }

    static func check(reason: String) throws {
        guard reason.utf8.count <= 4_096 else { throw ServingError.invalid("'reason' is longer than 4096 bytes.") }
    }

    static func check(description: String) throws {
        guard description.utf8.count <= 100_000 else {
            throw ServingError.invalid("'description' is longer than 100000 bytes.")
        }
    }
}
