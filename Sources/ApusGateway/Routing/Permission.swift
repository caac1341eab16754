/// What a caller must be allowed to do before a route runs.
///
/// Every route names one where it is registered, also while authentication is off, so that a test can walk all
/// routes and prove that none is open by mistake.
package struct Permission: Sendable, Hashable {
    /// How far the right goes; each includes the ones before it.
    package enum Level: String, Sendable, CaseIterable {
        case read, use, edit, manage
    }

    /// What the right is about.
    package enum Resource: String, Sendable, CaseIterable {
        case server, experiment, run, artifact, dataset, loggedModel, registeredModel, endpoint, webhook, ledger
    }

    /// Nil for the few routes that anyone may call, such as `/health`.
    package let level: Level?
    package let resource: Resource

    /// Needs no right: the answer tells nothing about anybody's data.
    package static let open = Permission(level: nil, resource: .server)

    package static func read(_ resource: Resource) -> Permission { Permission(level: .read, resource: resource) }
    package static func use(_ resource: Resource) -> Permission { Permission(level: .use, resource: resource) }
    package static func edit(_ resource: Resource) -> Permission { Permission(level: .edit, resource: resource) }
    package static func manage(_ resource: Resource) -> Permission { Permission(level: .manage, resource: resource) }
}

/// Decides whether a caller has a permission.
package protocol Authorizer: Sendable {
    /// - Throws: A `PublicError` with code `UNAUTHENTICATED` or `PERMISSION_DENIED`.
    func authorize(_ permission: Permission, _ request: GatewayRequest) async throws
}

/// Authentication is off: the server listens on loopback and everybody who reaches it may do everything.
package struct NoAuthentication: Authorizer {
    package init() {}
    package func authorize(_ permission: Permission, _ request: GatewayRequest) async throws {}
}
