import ApusConsole
import ApusKernel
import ApusLedger

/// What is running, what changed lately, and what needs attention.
struct HomePage {
    let overview: TrackingOverview
    let events: [SealedEvent]
    /// Where clients reach this server, such as `http://127.0.0.1:5000`.
    let address: String

    var page: ConsolePage {
        ConsolePage("Home", section: .home) {
            Component.heading("Home")
            Element.div(Attribute("data-live", "run.,experiment.")) {
                if overview.isEmpty { firstRun } else { lately }
            }
        }
    }

    private var firstRun: HTML {
        Component.card("Log your first run") {
            Element.p() { "Nothing has been logged yet. In a Python environment with the mlflow package:" }
            Component.code(
                """
                import mlflow
                mlflow.set_tracking_uri("\(address)")
                with mlflow.start_run(): mlflow.log_metric("loss", 0.25)
                """,
                language: "python"
            )
            Element.p(.class("muted")) { "This page shows the run within a second." }
        }
    }

    @HTMLBuilder private var lately: HTML {
        Component.card("Running", note: overview.running.isEmpty ? "" : "\(overview.running.count) now") {
            if overview.running.isEmpty {
                Component.empty("Nothing is running", "A run appears here as soon as a client starts it.")
            } else {
                RunViews.list("Running", overview.running, experiments: overview.experiments)
            }
        }
        if !overview.failed.isEmpty {
            Component.card("Needs attention", note: "failed in the last seven days") {
                RunViews.list("Failed", overview.failed, experiments: overview.experiments)
            }
        }
        Component.card("Newest runs") {
            RunViews.list("Newest runs", overview.newest, experiments: overview.experiments)
        }
        Component.card("Latest changes") {
            Element.ol(.class("timeline")) {
                for event in events {
                    Element.li() {
                        Component.time(event.milliseconds)
                        Element.span() { "\(Self.words(event.event.action)) " }
                        subject(event.event.subject)
                    }
                }
            }
        }
    }

    /// What changed, as a link to its page if it has one, and by its name if that is known here.
    private func subject(_ text: String) -> HTML {
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        guard let kind = parts.first, parts.count == 2, let id = parts.last else { return Element.code() { text } }
        switch kind {
        case "run":
            let known = (overview.newest + overview.running + overview.failed).first { $0.id.rawValue == id }
            let name = known.map(\.name) ?? ""
            return Element.a(.href(TrackingPage.run(id).link), .title(id)) {
                name.isEmpty ? String(id.prefix(8)) : name
            }
        case "experiment":
            guard let number = Int64(id) else { return Element.code() { text } }
            let name = overview.experiments[number] ?? "experiment \(id)"
            return Element.a(.href(TrackingPage.experiment(number).link)) { name }
        case "registered-model": return Element.a(.href(Link("console", "models", id))) { id }
        case "model-version":
            guard let slash = id.lastIndex(of: "/") else { return Element.code() { text } }
            let (name, version) = (String(id[..<slash]), String(id[id.index(after: slash)...]))
            return Element.a(.href(Link("console", "models", name, "versions", version))) {
                "\(name), version \(version)"
            }
        default: return Element.code() { text }
        }
    }

    /// `run.created` as `Run created`.
    private static func words(_ action: String) -> String {
        let text = action.map { $0 == "." || $0 == "_" || $0 == "-" ? " " : String($0) }.joined()
        return text.prefix(1).uppercased() + text.dropFirst()
    }
}
