import ApusJSON

extension JSONWriter {
    mutating func text(_ name: StaticString, _ value: String) {
        key(name)
        string(value)
    }

    mutating func number(_ name: StaticString, _ value: Int64) {
        key(name)
        integer(value)
    }

    /// Writes a number as a member; null for what JSON has no number for.
    mutating func number(_ name: StaticString, _ value: Double?) {
        key(name)
        if let value, value.isFinite { double(value) } else { null() }
    }

    mutating func truth(_ name: StaticString, _ value: Bool) {
        key(name)
        bool(value)
    }

    /// Writes the members of an endpoint.
    mutating func endpoint(_ endpoint: Endpoint, listings: [ModelListing]) {
        text("name", endpoint.name)
        text("state", Self.state(of: endpoint, listings))
        text("description", endpoint.spec.description)
        number("revision", endpoint.revision)
        number("creation_time", endpoint.created)
        number("last_updated_time", endpoint.updated)
        if let followed = endpoint.spec.following { text("follow", "models:/\(followed.model)@\(followed.alias)") }
        if let stable = endpoint.stable {
            key("stable")
            deployment(stable)
        }
        if let standby = endpoint.spec.standby.flatMap({ endpoint.deployments[$0] }) {
            key("standby")
            deployment(standby)
        }
        key("strategy")
        strategy(endpoint.spec.strategy)
        key("settings")
        settings(endpoint.spec.settings)
        key("versions")
        array(listings.filter { !$0.version.isEmpty }) { json, listing in
            json.object { json in
                json.text("version", listing.version)
                json.text("state", listing.state.rawValue)
                if !listing.reason.isEmpty { json.text("reason", listing.reason) }
            }
        }
        if let rollout = endpoint.rollout {
            key("rollout")
            self.rollout(rollout, of: endpoint)
        }
        if let last = endpoint.lastRollout {
            key("last_rollout")
            self.rollout(last, of: endpoint)
        }
    }

    /// READY when requests are answered, LOADING while the first version comes, else UNAVAILABLE.
    private static func state(of endpoint: Endpoint, _ listings: [ModelListing]) -> String {
        if endpoint.isDeleted { return "DELETED" }
        if listings.contains(where: { $0.state == .ready }) { return "READY" }
        return listings.contains { $0.state == .loading } ? "LOADING" : "UNAVAILABLE"
    }

    mutating func deployment(_ deployment: Deployment) {
        object { json in
            json.number("number", deployment.number)
            json.text("model", deployment.model)
            json.text("version", deployment.version)
            json.text("source", deployment.source)
            json.number("creation_time", deployment.created)
            json.key("settings")
            json.settings(deployment.settings)
        }
    }

    mutating func settings(_ settings: DeploymentSettings) {
        object { json in
            if let instances = settings.instances { json.number("instances", Int64(instances)) }
            if let least = settings.minimumInstances { json.number("min_instances", Int64(least)) }
            if let size = settings.maximumBatchSize { json.number("max_batch_size", Int64(size)) }
            if let delay = settings.maximumDelay { json.number("max_delay_ms", delay) }
            if let limit = settings.queueLimit { json.number("queue_limit", Int64(limit)) }
            if let prefers = settings.prefersPython { json.truth("prefer_python", prefers) }
        }
    }

    mutating func strategy(_ strategy: Strategy) {
        object { json in
            json.text("kind", strategy.kind.rawValue)
            switch strategy.kind {
            case .allAtOnce: break
            case .blueGreen: json.truth("automatic", strategy.isAutomatic)
            case .shadow, .ab: json.number("percent", strategy.percent)
            case .canary, .rolling:
                if strategy.kind == .canary {
                    json.key("steps")
                    json.array(strategy.steps) { $0.double($1) }
                }
                json.number("hold_seconds", strategy.holdSeconds)
                json.number("minimum_requests", Int64(strategy.minimumRequests))
                json.key("guards")
                json.guards(strategy.guards)
            }
        }
    }

    private mutating func guards(_ guards: Guards) {
        object { json in
            json.number("false_alarm_rate", guards.falseAlarmRate)
            json.number("error_ratio", guards.errorRatio)
            json.number("latency_factor", guards.latencyFactor)
            json.number("latency_quantile", guards.latencyQuantile)
            json.number("slow_ratio", guards.slowRatio)
            json.number("reward_drop", guards.rewardDrop)
        }
    }

    mutating func rollout(_ rollout: Rollout, of endpoint: Endpoint) {
        object { json in
            json.text("phase", rollout.phase.rawValue)
            json.key("strategy")
            json.strategy(rollout.strategy)
            json.number("step", Int64(rollout.step))
            json.key("step_percents")
            json.array(rollout.shares) { $0.double($1 * 100) }
            json.key("candidates")
            json.array(rollout.candidates) { json, candidate in
                json.object { json in
                    json.number("percent", candidate.share * 100)
                    guard let deployment = endpoint.deployments[candidate.deployment] else { return }
                    json.key("deployment")
                    json.deployment(deployment)
                }
            }
            json.number("start_time", rollout.began)
            json.number("step_start_time", rollout.stepBegan)
            json.text("actor", rollout.actor)
            json.text("reason", rollout.reason)
            if let outcome = rollout.outcome { json.text("outcome", outcome) }
            json.key("arms")
            json.arms(rollout, of: endpoint)
            json.tests(rollout)
            if let shadow = rollout.evidence.shadow {
                json.key("shadow")
                json.shadow(shadow)
            }
        }
    }

    private mutating func arms(_ rollout: Rollout, of endpoint: Endpoint) {
        let numbers = (rollout.stable.map { [$0] } ?? []) + rollout.candidates.map(\.deployment)
        array(numbers.filter { rollout.evidence.arms[$0] != nil }) { json, number in
            guard let arm = rollout.evidence.arms[number] else { return }
            json.object { json in
                json.text("version", endpoint.deployments[number]?.version ?? "")
                json.text("role", number == rollout.stable ? "stable" : "candidate")
                json.counts(arm)
            }
        }
    }

    /// Writes the members that count what an arm did.
    mutating func counts(_ arm: ArmSummary) {
        number("requests", Int64(arm.requests))
        number("failures", Int64(arm.failures))
        key("latency_ms")
        object { json in
            json.number("mean", arm.seconds.count > 0 ? arm.seconds.mean * 1000 : nil)
            json.number("p50", arm.latencies.quantile(0.5).map { Double($0) / 1e6 })
            json.number("p95", arm.latencies.quantile(0.95).map { Double($0) / 1e6 })
            json.number("p99", arm.latencies.quantile(0.99).map { Double($0) / 1e6 })
        }
        guard arm.rewards.count > 0 else { return }
        key("reward")
        object { json in
            json.number("count", Int64(arm.rewards.count))
            json.number("mean", arm.rewards.mean)
        }
    }

    private mutating func tests(_ rollout: Rollout) {
        guard rollout.strategy.isGuarded else { return }
        key("tests")
        object { json in
            json.number("level", rollout.strategy.guards.level)
            for (name, test) in [
                ("errors" as StaticString, rollout.evidence.errors), ("latency", rollout.evidence.slow),
            ] {
                guard let test else { continue }
                json.key(name)
                json.object { json in
                    json.number("candidate_events", Int64(test.candidate))
                    json.number("stable_events", Int64(test.stable))
                    json.number("p_value", test.pValue)
                    json.number("evidence", test.evidence)
                }
            }
            if rollout.evidence.slowThreshold > 0 {
                json.number("slow_threshold_ms", Double(rollout.evidence.slowThreshold) / 1e6)
            }
        }
    }

    private mutating func shadow(_ shadow: ShadowSummary) {
        object { json in
            json.number("compared", Int64(shadow.compared))
            json.number("agreed", Int64(shadow.agreed))
            json.number("agreement", shadow.compared > 0 ? Double(shadow.agreed) / Double(shadow.compared) : nil)
            json.number("failed", Int64(shadow.failed))
            json.number("dropped", Int64(shadow.dropped))
            json.number("max_difference", shadow.maximumDifference)
            json.number("mean_difference", shadow.compared > 0 ? shadow.differences / Double(shadow.compared) : nil)
        }
    }
}
