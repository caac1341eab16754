import ApusConsole

/// One endpoint: its traffic, who answers, what is changing, and what changed before.
struct EndpointPage {
    let endpoint: Endpoint
    let state: EndpointState
    /// What each loaded version does now, by the directory.
    let listings: [ModelListing]
    /// Of the last minute, of live traffic.
    let minute: MinuteFigures
    /// The newest first.
    let revisions: [EndpointRevision]
    /// Those that the revisions name.
    let deployments: [Int64: Deployment]
    let feedback: FeedbackFigures

    var page: ConsolePage {
        let frame = EndpointFrame(endpoint: endpoint, state: state, tab: .overview)
        return ConsolePage(endpoint.name, section: .endpoints, crumbs: frame.crumbs, scripts: [.edit, .traffic]) {
            frame.heading { actions }
            Element.div(Attribute("data-refresh", "5")) { figures }
            Element.div(
                .id("traffic"),
                Attribute("data-traffic", ServingPage.traffic(endpoint.name).text),
                Attribute("data-plotly", Asset.plotly.link.text)
            ) {
                Element.noscript() { Component.empty("Charts need a script", "Turn scripts on to see live traffic.") }
            }
            Element.div(Attribute("data-live", ServingPage.changes), Attribute("data-refresh", "5")) {
                if endpoint.rollout != nil { RolloutView(endpoint: endpoint, deployments: deployments).html }
                Element.div(.class("grid")) {
                    Component.card("Versions", note: "and their share of the traffic") { versions }
                    Component.card("Settings") { settings }
                }
                if endpoint.rollout == nil, endpoint.lastRollout != nil {
                    RolloutView(endpoint: endpoint, deployments: deployments).html
                }
                if !feedback.metrics.isEmpty {
                    Component.card("Feedback", note: "on predictions of the last seven days") { feedback.html }
                }
                Component.card("Changes", note: "settled states, the newest first") { history }
            }
        }
    }

    // MARK: What can be done

    @HTMLBuilder private var actions: HTML {
        if let rollout = endpoint.rollout {
            let verbs = RolloutVerbs(endpoint: endpoint, rollout: rollout)
            verbs.abort
            verbs.promote
        } else if let before = previous {
            Component.action(
                "Roll back…",
                Call(.post, at: ServingPage.verb(endpoint.name, "rollback")),
                asking: Question(
                    "Roll \(endpoint.name) back to \(Self.name(before, deployments))?",
                    effects: effects(of: before),
                    button: "Roll back",
                    isDangerous: true,
                    asksWhy: true
                )
            )
        }
    }

    /// The settled state before the present one, if it had a version.
    private var previous: EndpointRevision? {
        revisions.first { $0.revision == endpoint.revision - 1 && $0.spec.stable != nil }
    }

    private func effects(of revision: EndpointRevision) -> [String] {
        var effects = ["Revision \(revision.revision) is restored, with its settings."]
        if let stable = endpoint.stable, revision.spec.stable != stable.number {
            effects.append("\(Self.name(revision, deployments)) answers all requests, once it is loaded.")
            effects.append("\(stable.model) \(stable.version) answers until then, and no request is dropped.")
        } else {
            effects.append("The same version goes on answering.")
        }
        effects.append("This makes a new revision, which can be rolled back too.")
        return effects
    }

    private static func name(_ revision: EndpointRevision, _ deployments: [Int64: Deployment]) -> String {
        revision.spec.stable.flatMap { deployments[$0] }.map { "\($0.model) \($0.version)" } ?? "the state before"
    }

    // MARK: Parts

    private var figures: HTML {
        Component.stats([
            ("Requests per second", HTML(minute.rate)),
            ("Errors", HTML(minute.errorRate)),
            ("p50", HTML(MinuteFigures.milliseconds(minute.p50))),
            ("p99", HTML(MinuteFigures.milliseconds(minute.p99))),
        ])
    }

    @HTMLBuilder private var versions: HTML {
        let shares = TrafficShares(endpoint)
        if shares.parts.isEmpty {
            Component.empty("No versions", "Deploy one, and it answers as soon as it is loaded.") {
                Component.code("apus endpoints deploy \(endpoint.name) models:/wine/1", language: "bash")
            }
        } else {
            shares.bars
            for listing in listings where listing.state == .unavailable && !listing.reason.isEmpty {
                Element.div(.class("filter-error")) { "Version \(listing.version): \(listing.reason)" }
            }
        }
    }

    private var settings: HTML {
        let settings = endpoint.stable?.settings ?? endpoint.spec.settings
        var facts: [(String, HTML)] = []
        if !endpoint.spec.description.isEmpty {
            facts.append(("Description", Component.markdown(endpoint.spec.description)))
        }
        if let alias = endpoint.spec.following {
            facts.append(
                (
                    "Follows",
                    Element.a(.href(Link("console", "models", alias.model))) { alias.model }
                        + Element.span(.class("alias")) { alias.alias }
                )
            )
        }
        facts.append(("Changes by", HTML(endpoint.spec.strategy.kind.title)))
        facts.append(("Instances", HTML(settings.instances.map { "\($0)" } ?? "one for each core")))
        facts.append(
            ("Batches", HTML(settings.maximumBatchSize.map { "up to \($0) rows" } ?? "as large as the model takes"))
        )
        if let delay = settings.maximumDelay {
            facts.append(("Rows wait", HTML("up to \(NumberText.short(delay)) ms")))
        }
        if let limit = settings.queueLimit { facts.append(("Queue", HTML("\(limit) requests"))) }
        facts.append(("Revision", HTML("\(endpoint.revision)")))
        facts.append(("Made", Component.time(endpoint.created)))
        return Element.dl(.class("kv")) {
            for fact in facts {
                Element.dt() { fact.0 }
                Element.dd() { fact.1 }
            }
        }
    }

    private var history: HTML {
        Element.ol(.class("timeline")) {
            for revision in revisions {
                Element.li() {
                    Component.time(revision.time)
                    Element.strong() { Self.words(revision.action) }
                    " "
                    if let deployment = revision.spec.stable.flatMap({ deployments[$0] }) {
                        VersionLink.html(deployment)
                    }
                    Element.div(.class("muted")) {
                        "revision \(revision.revision), by \(revision.actor)"
                            + (revision.reason.isEmpty ? "" : ": \(revision.reason)")
                    }
                }
            }
        }
    }

    private static func words(_ action: String) -> String {
        switch action {
        case EndpointChange.Action.created.rawValue: "Made"
        case EndpointChange.Action.promoted.rawValue: "Promoted"
        case EndpointChange.Action.rolledBack.rawValue: "Rolled back to"
        case EndpointChange.Action.updated.rawValue: "Settings changed"
        case EndpointChange.Action.deleted.rawValue: "Deleted"
        case EndpointChange.Action.restored.rawValue: "Restored"
        default: action
        }
    }
}
