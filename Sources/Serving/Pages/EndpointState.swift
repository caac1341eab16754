import ApusConsole

/// How an endpoint is doing, in a word.
struct EndpointState: Equatable {
    let word: String
    let tone: Component.Tone
    /// Why it is so; empty when the word says it.
    var note = ""

    /// Looks at an endpoint, and at what the directory says of its versions.
    init(_ endpoint: Endpoint, _ listings: [ModelListing]) {
        let stable = endpoint.stable.flatMap { stable in listings.first { $0.version == stable.version } }
        switch (endpoint.stable, stable?.state) {
        case (nil, _) where endpoint.rollout != nil:
            self.init(word: "loading", tone: .busy)
        case (nil, _):
            let reason = endpoint.lastRollout?.outcome ?? ""
            self.init(
                word: reason.isEmpty ? "no version" : "failed",
                tone: reason.isEmpty ? .neutral : .bad,
                note: reason
            )
        case (_, .unavailable?): self.init(word: "unavailable", tone: .bad, note: stable?.reason ?? "")
        case (_, .ready?): self.init(word: "ready", tone: .good)
        default: self.init(word: "loading", tone: .busy)
        }
    }

    private init(word: String, tone: Component.Tone, note: String = "") {
        self.word = word
        self.tone = tone
        self.note = note
    }

    var badge: HTML { Component.badge(word, tone) }
}

extension Strategy.Kind {
    /// As people say it.
    var title: String {
        switch self {
        case .allAtOnce: "all at once"
        case .rolling: "rolling"
        case .blueGreen: "blue/green"
        case .canary: "canary"
        case .shadow: "shadow"
        case .ab: "A/B test"
        }
    }
}

/// Who answers how much of an endpoint's traffic.
struct TrafficShares {
    struct Part: Equatable {
        let deployment: Deployment
        /// From 0 to 1; of what is mirrored for a shadow.
        let share: Double
        /// What it does; empty for the stable version.
        let role: String
    }

    let parts: [Part]

    init(_ endpoint: Endpoint) {
        var parts: [Part] = []
        let rollout = endpoint.rollout
        let isShared = rollout?.phase == .running && rollout?.strategy.kind != .shadow
        var rest = 1.0
        for candidate in rollout?.candidates ?? [] {
            guard let deployment = endpoint.deployments[candidate.deployment] else { continue }
            if isShared {
                rest -= candidate.share
                parts.append(Part(deployment: deployment, share: candidate.share, role: "candidate"))
            } else if rollout?.strategy.kind == .shadow, rollout?.phase == .running {
                let share = (rollout?.strategy.percent ?? 0) / 100
                parts.append(Part(deployment: deployment, share: share, role: "shadow"))
            } else {
                parts.append(
                    Part(deployment: deployment, share: 0, role: rollout?.phase == .ready ? "waits" : "loading")
                )
            }
        }
        if let stable = endpoint.stable {
            parts.insert(Part(deployment: stable, share: max(0, rest), role: ""), at: 0)
        }
        if let standby = endpoint.spec.standby.flatMap({ endpoint.deployments[$0] }),
            !parts.contains(where: { $0.deployment.number == standby.number })
        {
            parts.append(Part(deployment: standby, share: 0, role: "standby"))
        }
        self.parts = parts
    }

    /// Bars, one for each version.
    var bars: HTML {
        Element.ul(.class("shares")) {
            for part in parts {
                let name = "\(part.deployment.model) \(part.deployment.version)"
                Element.li() {
                    Element.span() {
                        VersionLink.html(part.deployment)
                        if !part.role.isEmpty { Component.badge(part.role, part.role == "shadow" ? .accent : .neutral) }
                    }
                    Element.progress(
                        Attribute("max", "1"),
                        Attribute("value", "\(part.share)"),
                        .label("Share of \(name)")
                    )
                    Element.strong() { Self.percent(part.share) + (part.role == "shadow" ? " mirrored" : "") }
                }
            }
        }
    }

    /// Such as `95 %`.
    static func percent(_ share: Double) -> String {
        "\(NumberText.short((share * 10_000).rounded() / 100)) %"
    }
}

/// A model's version, with the way to its page.
enum VersionLink {
    static func html(_ deployment: Deployment) -> HTML {
        Element.a(.href(Link("console", "models", deployment.model, "versions", deployment.version))) {
            "\(deployment.model) \(deployment.version)"
        }
    }
}
