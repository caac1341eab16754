import ApusConsole
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
                        Element.code() { event.event.subject }
                    }
                }
            }
        }
    }

    /// `run.created` as `Run created`.
    private static func words(_ action: String) -> String {
        let text = action.map { $0 == "." || $0 == "_" || $0 == "-" ? " " : String($0) }.joined()
        return text.prefix(1).uppercased() + text.dropFirst()
    }
}
