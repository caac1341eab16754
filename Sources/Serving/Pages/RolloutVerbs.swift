import ApusConsole

/// What a person may do with a rollout; each button asks first, and says what it affects.
struct RolloutVerbs {
    let endpoint: Endpoint
    let rollout: Rollout

    private var stable: Deployment? { rollout.stable.flatMap { endpoint.deployments[$0] } }

    private func name(_ deployment: Deployment?) -> String {
        deployment.map { "\($0.model) \($0.version)" } ?? "the version"
    }

    /// One button for each candidate.
    @HTMLBuilder var promote: HTML {
        if rollout.phase == .running || rollout.phase == .ready {
            for candidate in rollout.candidates {
                if let deployment = endpoint.deployments[candidate.deployment] { promote(deployment, candidate.share) }
            }
        }
    }

    private func promote(_ deployment: Deployment, _ share: Double) -> HTML {
        let isShared = rollout.phase == .running && rollout.strategy.kind != .shadow
        var effects = [
            isShared
                ? "It answers all requests from now on, in place of \(TrafficShares.percent(share)) of them."
                : "It answers all requests from now on."
        ]
        if let stable {
            effects.append(
                rollout.strategy.kind == .blueGreen
                    ? "\(name(stable)) stays loaded, to be switched back to at once."
                    : "\(name(stable)) is unloaded once its requests are answered."
            )
        }
        if rollout.candidates.count > 1 { effects.append("The other candidates are unloaded.") }
        if rollout.strategy.isGuarded { effects.append("The steps and checks that are left are skipped.") }
        effects.append("No request is dropped. It can be rolled back.")
        return Component.action(
            rollout.candidates.count > 1 ? "Promote \(deployment.version)…" : "Promote…",
            Call(.post, at: ServingPage.verb(endpoint.name, "promote"), [("version", deployment.version)]),
            asking: Question(
                "Promote \(name(deployment)) on \(endpoint.name)?",
                effects: effects,
                button: "Promote",
                isDangerous: false,
                asksWhy: true
            ),
            label: "Promote \(name(deployment))…"
        )
    }

    var abort: HTML {
        var effects: [String] = []
        if let stable {
            effects.append("\(name(stable)) answers all requests from now on.")
        } else {
            effects.append("The endpoint has no other version, and answers none.")
        }
        let candidates = rollout.candidates.compactMap { endpoint.deployments[$0.deployment] }.map(name)
        let many = candidates.count > 1
        effects.append(
            "\(candidates.joined(separator: " and ")) \(many ? "are" : "is") unloaded once \(many ? "their" : "its") "
                + "requests are answered."
        )
        effects.append("No request is dropped. What was learned up to now stays on this page.")
        return Component.action(
            "Abort…",
            Call(.post, at: ServingPage.verb(endpoint.name, "abort")),
            asking: Question(
                "Abort the rollout of \(endpoint.name)?",
                effects: effects,
                button: "Abort rollout",
                asksWhy: true
            )
        )
    }
}
