import ApusConsole

/// What the pages of one endpoint share: its name, its state, what can be done with it, and the way between them.
struct EndpointFrame {
    enum Tab: CaseIterable {
        case overview, attempt, predictions
    }

    let endpoint: Endpoint
    let state: EndpointState
    let tab: Tab

    var crumbs: [ConsolePage.Crumb] {
        let all = ConsolePage.Crumb("Endpoints", ServingPage.endpoints.link)
        return tab == .overview ? [all] : [all, .init(endpoint.name, ServingPage.endpoint(endpoint.name).link)]
    }

    @HTMLBuilder func heading(@HTMLBuilder actions: () -> HTML = { HTML() }) -> HTML {
        Element.div(Attribute("data-live", ServingPage.changes)) {
            Component.heading(endpoint.name, kind: "Endpoint") {
                state.badge
                if let rollout = endpoint.rollout, endpoint.stable != nil {
                    Component.badge(
                        rollout.phase == .ready ? "waits to be promoted" : rollout.strategy.kind.title,
                        .busy
                    )
                }
            } actions: {
                actions()
            }
            if !state.note.isEmpty { Element.p(.class("muted")) { state.note } }
        }
        Component.tabs(
            "Parts of the endpoint",
            [
                ("Overview", ServingPage.endpoint(endpoint.name).link, tab == .overview),
                ("Try it", ServingPage.attempt(endpoint.name).link, tab == .attempt),
                ("Predictions", ServingPage.predictions(endpoint.name).link, tab == .predictions),
            ]
        )
    }
}
