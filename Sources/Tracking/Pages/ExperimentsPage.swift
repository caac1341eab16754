import ApusConsole

/// All experiments, the latest changed first.
struct ExperimentsPage {
    let experiments: [Experiment]
    let counts: [Int64: Int64]
    /// Nil when nothing follows.
    let nextToken: String?
    let text: String
    let showsDeleted: Bool

    var page: ConsolePage {
        ConsolePage("Experiments", section: .experiments) {
            Component.heading("Experiments")
            Element.form(.class("toolbar"), .action(TrackingPage.experiments.link), .role("search")) {
                Element.input(
                    .type("search"),
                    .name("name"),
                    .value(text),
                    .placeholder("Name contains…"),
                    .label("Name contains")
                )
                Element.label() {
                    Element.input(
                        .type("checkbox"),
                        .name("deleted"),
                        .value("1"),
                        showsDeleted ? Attribute("checked") : nil
                    )
                    "Deleted"
                }
                Element.button(.class("button")) { "Search" }
            }
            if experiments.isEmpty {
                Component.empty("No experiments", text.isEmpty ? "" : "None has a name that contains “\(text)”.")
            } else {
                table
            }
            if let nextToken {
                Element.p() {
                    Element.a(.class("button"), .href(TrackingPage.experiments.link(query + [("page", nextToken)]))) {
                        "Older experiments"
                    }
                }
            }
        }
    }

    private var query: [(String, String)] {
        (text.isEmpty ? [] : [("name", text)]) + (showsDeleted ? [("deleted", "1")] : [])
    }

    private var table: HTML {
        Component.table(
            "Experiments",
            columns: [
                .init("Name"), .init("Runs", isNumber: true), .init("Changed"), .init("Created"), .init("Tags"),
                .init("Id", isNumber: true),
            ],
            Attribute("data-live", "experiment.")
        ) {
            for experiment in experiments {
                Element.tr() {
                    Element.td() {
                        Element.a(.href(TrackingPage.experiment(experiment.id).link)) { experiment.name }
                        if experiment.stage == .deleted { Component.badge("Deleted") }
                    }
                    Element.td(.class("number")) { NumberText.grouped(counts[experiment.id] ?? 0) }
                    Element.td() { Component.time(experiment.lastUpdateTime) }
                    Element.td() { Component.time(experiment.creationTime) }
                    Element.td() {
                        for tag in experiment.tags where !tag.key.hasPrefix("mlflow.") && !tag.key.hasPrefix("apus.") {
                            Element.span(.class("chip"), .title("\(tag.key) = \(tag.value)")) {
                                "\(tag.key): \(tag.value)"
                            }
                        }
                    }
                    Element.td(.class("number")) { "\(experiment.id)" }
                }
            }
        }
    }
}
