import ApusConsole

/// All endpoints, and what they do now.
struct EndpointsPage {
    struct Row {
        let endpoint: Endpoint
        let state: EndpointState
        /// Of the last minute, of live traffic.
        let minute: MinuteFigures
    }

    let rows: [Row]

    var page: ConsolePage {
        ConsolePage("Endpoints", section: .endpoints, scripts: [.edit]) {
            Component.heading("Endpoints")
            Element.div(Attribute("data-live", ServingPage.changes), Attribute("data-refresh", "5")) {
                if rows.isEmpty { empty } else { table }
            }
        }
    }

    private var empty: HTML {
        Component.empty(
            "No endpoints",
            "An endpoint is a stable name with versions of a registered model behind it."
        ) {
            Component.code("apus endpoints create wine models:/wine@champion", language: "bash")
        }
    }

    private var table: HTML {
        Component.table(
            "Endpoints",
            columns: [
                .init("Name"), .init("State"), .init("Versions"), .init("Requests/s", isNumber: true),
                .init("Errors", isNumber: true), .init("p50", isNumber: true), .init("p99", isNumber: true),
                .init("Changed"),
            ]
        ) {
            for row in rows { html(row) }
        }
    }

    private func html(_ row: Row) -> HTML {
        let endpoint = row.endpoint
        return Element.tr() {
            Element.td() { Element.a(.href(ServingPage.endpoint(endpoint.name).link)) { endpoint.name } }
            Element.td() {
                Element.span(row.state.note.isEmpty ? nil : .title(row.state.note)) { row.state.badge }
                if let rollout = endpoint.rollout, endpoint.stable != nil {
                    Component.badge(rollout.phase == .ready ? "waits" : rollout.strategy.kind.title, .busy)
                }
            }
            Element.td() {
                for part in TrafficShares(endpoint).parts {
                    Element.span(.class("chip"), .title("\(part.deployment.model) \(part.deployment.version)")) {
                        "\(part.deployment.model) \(part.deployment.version): "
                            + (part.role == "standby" || part.role == "loading" || part.role == "waits"
                                ? part.role
                                : TrafficShares.percent(part.share) + (part.role == "shadow" ? " shadow" : ""))
                    }
                }
            }
            row.minute.cells
            Element.td() { Component.time(endpoint.updated) }
        }
    }
}

/// What happened in the last minute.
struct MinuteFigures {
    let requests: Int
    let errors: Int
    /// In milliseconds; nil when nothing was answered.
    let p50: Double?
    let p99: Double?

    init(requests: Int, errors: Int, p50: Double?, p99: Double?) {
        self.requests = requests
        self.errors = errors
        self.p50 = p50
        self.p99 = p99
    }

    var rate: String { requests == 0 ? "–" : NumberText.short((Double(requests) / 60 * 100).rounded() / 100) }

    var errorRate: String {
        requests == 0 ? "–" : TrafficShares.percent(Double(errors) / Double(requests))
    }

    /// Such as `1.25 ms`.
    static func milliseconds(_ value: Double?) -> String {
        guard let value else { return "–" }
        var scale = 1.0
        while value * scale < 100, scale < 1_000 { scale *= 10 }
        return "\(NumberText.short((value * scale).rounded() / scale)) ms"
    }

    @HTMLBuilder var cells: HTML {
        Element.td(.class("number")) { rate }
        Element.td(.class("number")) { errorRate }
        Element.td(.class("number")) { Self.milliseconds(p50) }
        Element.td(.class("number")) { Self.milliseconds(p99) }
    }
}
