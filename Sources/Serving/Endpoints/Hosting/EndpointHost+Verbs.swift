import ApusKernel

/// What callers of the API may do.
extension EndpointHost {
    /// What is asked for when a version is brought in; nil leaves it to the endpoint.
    package struct DeployOrder: Sendable {
        package var source: String
        package var strategy: Strategy?
        package var settings = DeploymentSettings()
        /// Whether a rollout that is under way is given up.
        package var replaces = false

        package init(source: String) {
            self.source = source
        }
    }

    /// Makes an endpoint, and brings its first version in when one is named.
    ///
    /// - Throws: ``ServingError``, or what the registry throws.
    package func create(
        name: String,
        spec: EndpointSpec,
        source: String?,
        actor: String,
        reason: String
    ) async throws -> Endpoint {
        try EndpointLimits.check(name: name)
        try EndpointLimits.check(reason: reason)
        try EndpointLimits.check(description: spec.description)
        try spec.strategy.check()
        try spec.settings.check()
        let resolved: DeploymentResolver.Resolved?
        if let source { resolved = try await resolver.resolve(source, settings: spec.settings) } else { resolved = nil }
        var first = spec
        first.following = spec.following ?? resolved?.alias
        let now = store.clock.milliseconds
        let endpoint = try await store.create(
            name: name,
            spec: first,
            adding: resolved?.new,
            EndpointChange(.created, actor: actor, reason: reason)
        ) { endpoint, deployment in
            guard let deployment else { return }
            endpoint.rollout = Rollout(
                strategy: Strategy(.allAtOnce),
                candidate: deployment.number,
                stable: nil,
                now: now,
                actor: actor,
                reason: reason
            )
        }
        await makeController(endpoint).reconcile()
        return endpoint
    }

    /// Begins to bring a version in.
    package func deploy(_ name: String, _ order: DeployOrder, actor: String, reason: String) async throws -> Endpoint {
        try EndpointLimits.check(reason: reason)
        let controller = try controller(name)
        let spec = await controller.endpoint.spec
        let strategy = order.strategy ?? spec.strategy
        try strategy.check()
        try order.settings.check()
        let resolved = try await resolver.resolve(order.source, settings: order.settings.completed(by: spec.settings))
        return try await controller.deploy(
            resolved.new,
            strategy: strategy,
            following: resolved.alias,
            actor: actor,
            reason: reason,
            replaces: order.replaces
        )
    }

    package func promote(_ name: String, version: String?, actor: String, reason: String) async throws -> Endpoint {
        try EndpointLimits.check(reason: reason)
        return try await controller(name).promote(version: version, actor: actor, reason: reason)
    }

    package func abort(_ name: String, actor: String, reason: String) async throws -> Endpoint {
        try EndpointLimits.check(reason: reason)
        return try await controller(name).abort(actor: actor, reason: reason)
    }

    /// Undoes the last change of an endpoint; a deleted one comes back.
    package func rollBack(_ name: String, to revision: Int64?, actor: String, reason: String) async throws -> Endpoint {
        try EndpointLimits.check(reason: reason)
        if let known = controllerIfAny(name) {
            return try await known.rollBack(to: revision, actor: actor, reason: reason)
        }
        guard let deleted = try await store.endpoint(named: name), deleted.isDeleted else {
            return try await controller(name).endpoint
        }
        let restored = try await store.change(deleted, EndpointChange(.restored, actor: actor, reason: reason)) {
            endpoint,
            _ in endpoint.isDeleted = false
        }
        let controller = makeController(restored)
        await controller.reconcile()
        guard let revision else { return restored }
        return try await controller.rollBack(to: revision, actor: actor, reason: reason)
    }

    /// Changes the settings of an endpoint.
    package func update(
        _ name: String,
        actor: String,
        reason: String,
        _ edit: @escaping @Sendable (inout EndpointSpec) -> Void
    ) async throws -> Endpoint {
        try EndpointLimits.check(reason: reason)
        let controller = try controller(name)
        var spec = await controller.endpoint.spec
        edit(&spec)
        try spec.strategy.check()
        try spec.settings.check()
        try EndpointLimits.check(description: spec.description)
        return try await controller.update(actor: actor, reason: reason, edit)
    }

    /// Deletes an endpoint; ``rollBack(_:to:actor:reason:)`` brings it back.
    package func delete(_ name: String, actor: String, reason: String) async throws {
        try EndpointLimits.check(reason: reason)
        let controller = try controller(name)
        try await controller.delete(actor: actor, reason: reason)
        forget(name)
    }

    /// An endpoint with what its rollout has shown up to now.
    ///
    /// - Throws: ``ServingError`` `RESOURCE_DOES_NOT_EXIST`.
    package func endpoint(_ name: String) async throws -> Endpoint { try await controller(name).current() }

    /// All endpoints, by name.
    package func endpoints() async -> [Endpoint] {
        var found: [Endpoint] = []
        for controller in all { found.append(await controller.current()) }
        return found
    }

    /// The settled states of an endpoint, the newest first.
    package func revisions(of name: String, limit: Int64) async throws -> [EndpointRevision] {
        try await store.revisions(of: try await endpoint(name), limit: limit)
    }

    private func controllerIfAny(_ name: String) -> EndpointController? { try? controller(name) }
}

extension EndpointController {
    /// The endpoint with what its rollout has shown up to now.
    func current() -> Endpoint {
        var endpoint = endpoint
        if var rollout = endpoint.rollout {
            gather(&rollout)
            endpoint.rollout = rollout
        }
        return endpoint
    }
}
