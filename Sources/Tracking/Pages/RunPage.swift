import ApusConsole
import ApusKernel

/// One run.
struct RunPage {
    let run: Run
    let experiment: Experiment
    let tab: TrackingPage.RunTab
    let models: [LoggedModel]
    let lineage: RunLineage
    /// Versions of registered models that came from the run.
    let versions: [RegisteredVersion]

    private var info: Run.Info { run.info }
    private var id: String { info.id.rawValue }
    private var title: String { info.name.isEmpty ? id : info.name }

    var page: ConsolePage {
        ConsolePage(
            title,
            section: .experiments,
            crumbs: [
                .init("Experiments", TrackingPage.experiments.link),
                .init(experiment.name, TrackingPage.experiment(experiment.id).link),
            ],
            scripts: [.edit] + scripts,
            isWide: tab != .overview && tab != .models
        ) {
            Element.div(Attribute("data-live-run", id)) { heading }
            Component.tabs(
                "Parts of the run",
                TrackingPage.RunTab.allCases.map { ($0.rawValue, TrackingPage.run(id, tab: $0).link, $0 == tab) }
            )
            switch tab {
            case .overview: overview.html
            case .charts: charts(isSystem: false)
            case .system: charts(isSystem: true)
            case .artifacts: artifacts
            case .models: LoggedModelsView(run: info, models: models).html
            }
        }
    }

    private var overview: RunOverview { RunOverview(run: run, lineage: lineage, versions: versions) }

    private var scripts: [Asset] {
        switch tab {
        case .charts, .system: ChartHost.scripts
        case .artifacts: ArtifactBrowser.scripts
        case .overview: overview.hasMoreMetrics ? [.findMetrics] : []
        case .models: []
        }
    }

    private var heading: HTML {
        Component.heading(title, kind: "Run") {
            if info.stage == .active {
                Component.editable(
                    "name",
                    info.name,
                    call: Call(.post, "runs/update", [("run_id", id)]),
                    field: "run_name",
                    isLine: true
                ) { HTML() }
            }
            RunViews.status(info)
        } actions: {
            Element.button(.class("button"), .type("button"), Attribute("data-copy", id)) { "Copy run id" }
            if info.stage == .active {
                Component.action(
                    "Delete",
                    Call(.post, "runs/delete", [("run_id", id)]),
                    asking: Question("Delete the run \(title)?", effects: deletion, button: "Delete run")
                )
            } else {
                Component.action(
                    "Restore",
                    Call(.post, "runs/restore", [("run_id", id)]),
                    asking: Question(
                        "Restore the run \(title)?",
                        effects: ["It is found by searches again, with everything that was logged to it."],
                        button: "Restore run",
                        isDangerous: false
                    )
                )
            }
        }
    }

    private var deletion: [String] {
        var effects = [
            "It goes to the trash: tables and searches leave it out, and nothing more can be logged to it.",
            "It can be restored here until apus gc erases it, with its artifacts.",
        ]
        if info.status == .running { effects.append("It is still running. Its client will get errors.") }
        if !lineage.children.isEmpty { effects.append("The runs below it stay.") }
        return effects
    }

    /// Metrics of the machine stand apart from those of the model.
    private func charts(isSystem: Bool) -> HTML {
        let keys = run.metrics.map(\.key).filter { RunViews.isSystem($0) == isSystem }
        let empty =
            isSystem
            ? Component.empty("No system metrics", "They are logged every ten seconds once this is called:") {
                Component.code("mlflow.enable_system_metrics_logging()", language: "python")
            }
            : Component.empty("No metrics", "mlflow.log_metric(key, value, step=…) draws a curve here.")
        return ChartHost.element(
            "charts",
            [info],
            keys: keys,
            part: isSystem ? "system" : "model",
            empty: empty
        )
    }

    private var artifacts: HTML { ArtifactBrowser(owner: .run(id)).view }
}

/// A version of a registered model, as the pages of tracking name it.
package struct RegisteredVersion: Sendable {
    package let name: String
    package let version: String
    package let aliases: [String]

    package init(name: String, version: String, aliases: [String] = []) {
        self.name = name
        self.version = version
        self.aliases = aliases
    }

    /// Its page, which the registry brings.
    var link: Link { Link("console", "models", name, "versions", version) }
}

/// Tells which registered versions came from a run; the registry knows.
package protocol RegisteredVersions: Sendable {
    func versions(ofRun id: String) async throws -> [RegisteredVersion]
}
