import ApusKernel

/// The verbs of endpoints.
extension EndpointController {
    /// Begins to bring another version in.
    ///
    /// `replaces`: Whether a rollout that is under way is given up for this one.
    /// - Throws: ``ServingError`` `RESOURCE_CONFLICT` while another rollout is under way.
    func deploy(
        _ new: NewDeployment,
        strategy: Strategy,
        following: FollowedAlias?,
        actor: String,
        reason: String,
        replaces: Bool = false
    ) async throws -> Endpoint {
        try await exclusively { controller in
            try await controller.begin(
                new,
                strategy: strategy,
                following: following,
                actor: actor,
                reason: reason,
                replaces: replaces
            )
            return controller.endpoint
        }
    }

    private func begin(
        _ new: NewDeployment,
        strategy: Strategy,
        following: FollowedAlias?,
        actor: String,
        reason: String,
        replaces: Bool
    ) async throws {
        let change = EndpointChange(.deploying, actor: actor, reason: reason)
        if let rollout = endpoint.rollout {
            if rollout.strategy.kind == .ab, strategy.kind == .ab, rollout.phase == .running, !replaces {
                return try await addArm(new, share: strategy.percent / 100, change)
            }
            guard replaces else {
                throw ServingError(
                    .resourceConflict,
                    "Endpoint '\(name)' is being changed already. Promote or abort that rollout first."
                )
            }
            try await endRollout(rollout, actor: actor, reason: "Another version is deployed instead.")
        }
        try await commit(change, adding: new) { [now] endpoint, deployment in
            guard let deployment else { return }
            endpoint.rollout = Rollout(
                strategy: strategy,
                candidate: deployment.number,
                stable: endpoint.spec.stable,
                now: now,
                actor: actor,
                reason: reason
            )
            if let following { endpoint.spec.following = following }
        }
    }

    /// Another version joins an A/B test; its share is taken from the stable one.
    private func addArm(_ new: NewDeployment, share: Double, _ change: EndpointChange) async throws {
        let taken = (endpoint.rollout?.candidates ?? []).reduce(0) { $0 + $1.share }
        guard taken + share < 1 else {
            throw ServingError.invalid("The versions of the A/B test would get more than all requests.")
        }
        try await commit(change, adding: new) { endpoint, deployment in
            guard let deployment else { return }
            endpoint.rollout?.candidates.append(.init(deployment: deployment.number, share: share))
        }
    }

    /// Gives all requests to a candidate now, whatever its rollout still has before it.
    ///
    /// `version`: Which of several; the stable one ends the rollout without a change.
    /// - Throws: ``ServingError`` `RESOURCE_CONFLICT` when there is nothing that could be promoted.
    func promote(version: String?, actor: String, reason: String) async throws -> Endpoint {
        try await exclusively { controller in
            guard var rollout = controller.endpoint.rollout else {
                throw ServingError(
                    .resourceConflict,
                    "Endpoint '\(controller.name)' has no rollout that could be promoted."
                )
            }
            controller.gather(&rollout)
            if let version, version == controller.endpoint.stable?.version,
                !rollout.candidates.contains(where: {
                    controller.endpoint.deployments[$0.deployment]?.version == version
                })
            {
                try await controller.endRollout(rollout, actor: actor, reason: reason)
                return controller.endpoint
            }
            let number = try controller.candidate(version: version, of: rollout)
            guard controller.loaded[number] != nil else {
                throw ServingError(.resourceConflict, "The new version of '\(controller.name)' is not loaded yet.")
            }
            try await controller.settle(on: number, rollout, actor: actor, reason: reason)
            return controller.endpoint
        }
    }

    private func candidate(version: String?, of rollout: Rollout) throws -> Int64 {
        let numbers = rollout.candidates.map(\.deployment)
        guard let version else {
            guard let first = numbers.first, numbers.count == 1 else {
                throw ServingError.invalid("There are several candidates. Say which version is to be promoted.")
            }
            return first
        }
        guard let number = numbers.first(where: { endpoint.deployments[$0]?.version == version }) else {
            throw ServingError.invalid("Version '\(version)' takes no part in the rollout.")
        }
        return number
    }

    /// Ends a rollout; the stable version stays.
    ///
    /// - Throws: ``ServingError`` `RESOURCE_CONFLICT` when there is none.
    func abort(actor: String, reason: String) async throws -> Endpoint {
        try await exclusively { controller in
            guard var rollout = controller.endpoint.rollout else {
                throw ServingError(.resourceConflict, "Endpoint '\(controller.name)' has no rollout to abort.")
            }
            controller.gather(&rollout)
            try await controller.endRollout(rollout, actor: actor, reason: reason)
            return controller.endpoint
        }
    }

    /// Undoes the last change: ends a rollout that is under way, else goes back to the settled state before, or to
    /// `revision`.
    ///
    /// A version that is still loaded takes over at once, another one as soon as it is.
    ///
    /// - Throws: ``ServingError``: `RESOURCE_CONFLICT` when there is nothing to go back to, `RESOURCE_DOES_NOT_EXIST`
    ///   for a revision that never was.
    func rollBack(to revision: Int64?, actor: String, reason: String) async throws -> Endpoint {
        try await exclusively { controller in
            if let rollout = controller.endpoint.rollout {
                var seen = rollout
                controller.gather(&seen)
                try await controller.endRollout(seen, actor: actor, reason: reason)
                guard revision != nil else { return controller.endpoint }
            }
            try await controller.goBack(to: revision ?? controller.endpoint.revision - 1, actor: actor, reason: reason)
            return controller.endpoint
        }
    }

    private func goBack(to revision: Int64, actor: String, reason: String) async throws {
        guard revision > 0 else { throw nothingBefore() }
        let target = try await context.store.revision(revision, of: endpoint)
        guard let number = target.spec.stable else { throw nothingBefore() }
        if number != endpoint.spec.stable, loaded[number] == nil {
            // It has to be fetched first; the stable version answers meanwhile.
            let known = try await context.store.deployments([number], of: endpoint)
            guard known[number] != nil else { throw nothingBefore() }
            return try await commit(EndpointChange(.deploying, actor: actor, reason: reason)) { [now] endpoint, _ in
                var rollout = Rollout(
                    strategy: Strategy(.allAtOnce),
                    candidate: number,
                    stable: endpoint.spec.stable,
                    now: now,
                    actor: actor,
                    reason: reason
                )
                rollout.restores = revision
                endpoint.rollout = rollout
            }
        }
        try await commit(EndpointChange(.rolledBack, actor: actor, reason: reason)) { endpoint, _ in
            let before = endpoint.spec
            endpoint.spec = target.spec
            // What was switched away from stays warm, to be switched back to, if it was so before.
            endpoint.spec.standby = before.standby == number ? before.stable : nil
        }
    }

    private func nothingBefore() -> ServingError {
        ServingError(.resourceConflict, "Endpoint '\(name)' has no earlier state to go back to.")
    }

    /// Changes settings that concern later deployments, and what is followed.
    func update(
        actor: String,
        reason: String,
        _ edit: @escaping @Sendable (inout EndpointSpec) -> Void
    ) async throws -> Endpoint {
        try await exclusively { controller in
            try await controller.commit(EndpointChange(.updated, actor: actor, reason: reason)) { endpoint, _ in
                edit(&endpoint.spec)
            }
            return controller.endpoint
        }
    }

    /// Marks the endpoint as deleted and answers no more.
    func delete(actor: String, reason: String) async throws {
        try await exclusively { controller in
            try await controller.commit(EndpointChange(.deleted, actor: actor, reason: reason)) { endpoint, _ in
                endpoint.isDeleted = true
                endpoint.rollout = nil
            }
        }
    }

    /// Makes a candidate the stable version.
    func settle(on number: Int64, _ rollout: Rollout, actor: String, reason: String) async throws {
        var ended = rollout
        ended.phase = .promoted
        ended.outcome = reason
        var restored: EndpointSpec?
        if let revision = rollout.restores {
            restored = try await context.store.revision(revision, of: endpoint).spec
        }
        let kind: EndpointChange.Action = restored == nil ? .promoted : .rolledBack
        let who = restored == nil ? actor : rollout.actor
        let why = restored == nil ? reason : rollout.reason
        try await commit(EndpointChange(kind, actor: who, reason: why)) { [ended, restored] endpoint, _ in
            let before = endpoint.spec.stable
            if let restored { endpoint.spec = restored }
            endpoint.spec.stable = number
            endpoint.spec.standby = rollout.strategy.kind == .blueGreen ? before : nil
            endpoint.rollout = nil
            endpoint.lastRollout = ended
        }
    }

    /// Ends a rollout without a change of the stable version.
    func endRollout(_ rollout: Rollout, actor: String, reason: String) async throws {
        var ended = rollout
        ended.phase = .aborted
        ended.outcome = reason
        try await commit(EndpointChange(.aborted, actor: actor, reason: reason)) { [ended] endpoint, _ in
            endpoint.rollout = nil
            endpoint.lastRollout = ended
        }
    }
}
