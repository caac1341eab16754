import ApusConsole
import ApusKernel

/// One run.
struct RunPage {
    let run: Run
    let experiment: Experiment
    let tab: TrackingPage.RunTab
    let models: [LoggedModel]
    /// Versions of registered models that came from the run.
    let versions: [RegisteredVersion]

    private var info: Run.Info { run.info }
    private var title: String { info.name.isEmpty ? info.id.rawValue : info.name }
    private func tag(_ key: String) -> String? { run.tags.first { $0.key == key }?.value }

    var page: ConsolePage {
        ConsolePage(
            title,
            section: .experiments,
            crumbs: [
                .init("Experiments", TrackingPage.experiments.link),
                .init(experiment.name, TrackingPage.experiment(experiment.id).link),
            ],
            scripts: tab == .charts ? ChartHost.scripts : tab == .artifacts ? ArtifactBrowser.scripts : [],
            isWide: tab == .charts || tab == .artifacts
        ) {
            Component.heading(title, kind: "Run") {
                Element.span(Attribute("data-live", "run.")) { RunViews.status(info) }
            } actions: {
                Element.button(.class("button"), .type("button"), Attribute("data-copy", info.id.rawValue)) {
                    "Copy run id"
                }
            }
            Component.tabs(
                "Parts of the run",
                TrackingPage.RunTab.allCases.map {
                    ($0.rawValue, TrackingPage.run(info.id.rawValue, tab: $0).link, $0 == tab)
                }
            )
            switch tab {
            case .overview: overview
            case .charts: charts
            case .artifacts: artifacts
            case .models: loggedModels
            }
        }
    }

    @HTMLBuilder private var overview: HTML {
        Component.card("About") {
            Element.dl(.class("kv")) {
                pair("Run id") { Element.code() { info.id.rawValue } }
                pair("Started") { Component.time(info.startTime) }
                pair("Duration") { Component.duration(from: info.startTime, to: info.endTime) }
                pair("User") { tag("mlflow.user") ?? info.userID }
                if let source = tag("mlflow.source.name") { pair("Source") { Element.code() { source } } }
                if let commit = tag("mlflow.source.git.commit") { pair("Commit") { Element.code() { commit } } }
                if let parent = tag("mlflow.parentRunId") {
                    pair("Parent") {
                        Element.a(.href(TrackingPage.run(parent).link)) { Element.code() { parent } }
                    }
                }
                pair("Artifacts") { Element.code() { info.artifactURI } }
            }
        }
        if let note = tag("mlflow.note.content"), !note.isEmpty {
            Component.card("Notes") { Element.p(.class("note")) { note } }
        }
        Element.div(.class("grid"), Attribute("data-live-metrics", info.id.rawValue)) {
            Component.card("Metrics", note: count(run.metrics.count, "latest value", "latest values")) { metrics }
            Component.card("Params", note: count(run.params.count, "param", "params")) {
                Component.pairs(
                    "params",
                    run.params.map { ($0.key, HTML($0.value)) },
                    empty: "mlflow.log_param(key, value)"
                )
            }
        }
        Element.div(.class("grid")) {
            Component.card("Datasets") { datasets }
            Component.card("Tags") {
                Component.pairs(
                    "tags",
                    run.tags.filter { !$0.key.hasPrefix("mlflow.") }.map { ($0.key, HTML($0.value)) },
                    empty: "mlflow.set_tag(key, value)"
                )
            }
        }
        if !versions.isEmpty {
            Component.card("Registered versions") {
                Element.ul() {
                    for version in versions {
                        Element.li() {
                            Element.a(.href(Link("console", "models", version.name, "versions", version.version))) {
                                "\(version.name), version \(version.version)"
                            }
                        }
                    }
                }
            }
        }
    }

    private func count(_ number: Int, _ one: String, _ many: String) -> String {
        "\(NumberText.grouped(Int64(number))) \(number == 1 ? one : many)"
    }

    @HTMLBuilder private func pair(_ name: String, @HTMLBuilder _ value: () -> HTML) -> HTML {
        Element.dt() { name }
        Element.dd(content: value)
    }

    /// Thousands of metrics are listed without delay: rows are plain, and a box narrows them down.
    private var metrics: HTML {
        Component.pairs(
            "metrics",
            run.metrics.map { point in
                (
                    point.key,
                    Element.a(
                        .href(
                            TrackingPage.run(info.id.rawValue, tab: .charts).link([("key", point.key)])
                        ),
                        .class("number")
                    ) { RunViews.metric(point.shownValue) }
                )
            },
            empty: "mlflow.log_metric(key, value, step=…)"
        )
    }

    @HTMLBuilder private var datasets: HTML {
        if run.datasets.isEmpty {
            Component.empty("No datasets", "mlflow.log_input(dataset)")
        } else {
            Component.table("Datasets", columns: [.init("Name"), .init("Digest"), .init("Source"), .init("Context")]) {
                for dataset in run.datasets {
                    Element.tr() {
                        Element.td() { dataset.name }
                        Element.td() { Element.code() { dataset.digest } }
                        Element.td(.title(dataset.source)) { dataset.sourceType }
                        Element.td() { dataset.tags.first { $0.key == "mlflow.data.context" }?.value ?? "" }
                    }
                }
            }
        }
    }

    private var charts: HTML {
        run.metrics.isEmpty
            ? Component.empty("No metrics", "mlflow.log_metric(key, value, step=…) draws a curve here.")
            : ChartHost.element("charts", [info], keys: run.metrics.map(\.key))
    }

    private var artifacts: HTML { ArtifactBrowser(owner: .run(info.id.rawValue)).view }

    @HTMLBuilder private var loggedModels: HTML {
        if models.isEmpty {
            Component.empty("No models", "mlflow.sklearn.log_model(model, name=…)")
        } else {
            Component.table(
                "Logged models",
                columns: [.init("Name"), .init("Status"), .init("Type"), .init("Created"), .init("Id")]
            ) {
                for model in models {
                    Element.tr() {
                        Element.td() { model.info.name }
                        Element.td() { Component.badge(model.info.status.wireName) }
                        Element.td() { model.info.type }
                        Element.td() { Component.time(model.info.creationTime) }
                        Element.td() { Element.code() { model.info.id.rawValue } }
                    }
                }
            }
            Element.p() { "Load one in Python:" }
            if let first = models.first {
                Component.code(
                    "model = mlflow.pyfunc.load_model(\"models:/\(first.info.id.rawValue)\")",
                    language: "python"
                )
            }
        }
    }
}

/// A version of a registered model, as the pages of tracking name it.
package struct RegisteredVersion: Sendable {
    package let name: String
    package let version: String

    package init(name: String, version: String) {
        self.name = name
        self.version = version
    }
}

/// Tells which registered versions came from a run; the registry knows.
package protocol RegisteredVersions: Sendable {
    func versions(ofRun id: String) async throws -> [RegisteredVersion]
}
