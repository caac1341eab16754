import ApusConsole
import ApusKernel

/// The way from data and code through a run to what people load.
struct RunLineageView {
    let run: Run
    let lineage: RunLineage
    let versions: [RegisteredVersion]

    private static let limit = 20

    var html: HTML {
        Element.ol(.class("lineage")) {
            step("Data", isEmpty: run.datasets.isEmpty && run.modelInputs.isEmpty, "mlflow.log_input(dataset)") {
                for dataset in run.datasets.prefix(Self.limit) { Element.li() { link(to: dataset) } }
                for model in lineage.inputs { Element.li() { HTML("Model ") + name(of: model) } }
                more(than: run.datasets.count)
            }
            step("Code", isEmpty: commit.isEmpty && source.isEmpty, "A run inside of a Git checkout notes its commit.")
            {
                if !commit.isEmpty {
                    Element.li(.title(commit)) {
                        "Commit "
                        Component.address(repository, Element.code() { String(commit.prefix(10)) })
                    }
                }
                if !source.isEmpty {
                    Element.li(.title(source)) {
                        Element.code() { source.split(separator: "/").last.map(String.init) ?? source }
                    }
                }
            }
            step("Run", isEmpty: false, "") {
                if let parent { Element.li() { HTML("Below ") + parent } }
                Element.li() { Element.strong() { run.info.name.isEmpty ? run.info.id.rawValue : run.info.name } }
                for child in lineage.children { Element.li(.class("child")) { RunViews.link(child) } }
                if lineage.hasMoreChildren { Element.li(.class("child")) { allChildren } }
            }
            step("Logged models", isEmpty: lineage.outputs.isEmpty, "mlflow.sklearn.log_model(model, name=…)") {
                for model in lineage.outputs { Element.li() { name(of: model) } }
                more(than: run.modelOutputs.count)
            }
            step("Registered", isEmpty: versions.isEmpty, "mlflow.register_model(…) lets others find and load it.") {
                for version in versions {
                    Element.li() {
                        Element.a(.href(version.link)) { "\(version.name), version \(version.version)" }
                        for alias in version.aliases { Element.span(.class("alias")) { alias } }
                    }
                }
            }
        }
    }

    private func step(_ title: String, isEmpty: Bool, _ hint: String, @HTMLBuilder _ items: () -> HTML) -> HTML {
        Element.li() {
            Element.h3() { title }
            if isEmpty { Element.p(.class("muted")) { hint } } else { Element.ul(content: items) }
        }
    }

    private func tag(_ key: String) -> String { run.tags.first { $0.key == key }?.value ?? "" }
    private var commit: String { tag("mlflow.source.git.commit") }
    private var source: String { tag("mlflow.source.name") }
    private var repository: String { tag("mlflow.source.git.repoURL") }

    private var parent: HTML? {
        if let parent = lineage.parent { return RunViews.link(parent) }
        let id = tag("mlflow.parentRunId")
        return id.isEmpty ? nil : Element.code() { id }
    }

    private var allChildren: HTML {
        let filter = "tags.`mlflow.parentRunId` = '\(run.info.id.rawValue)'"
        return Element.a(.href(TrackingPage.experiment(run.info.experimentID).link([("filter", filter)]))) {
            "All runs below"
        }
    }

    /// A dataset leads to the runs that read it.
    private func link(to dataset: DatasetInput) -> HTML {
        let isPlain = !dataset.digest.utf8.contains { $0 == UInt8(ascii: "'") || $0 == UInt8(ascii: "\\") }
        guard isPlain, !dataset.digest.isEmpty else { return HTML(dataset.name) }
        let filter = "dataset.digest = '\(dataset.digest)'"
        return Element.a(
            .href(TrackingPage.experiment(run.info.experimentID).link([("filter", filter)])),
            .title("Runs that read \(dataset.name), \(dataset.digest)")
        ) { dataset.name }
    }

    private func name(of model: LoggedModel.Info) -> HTML {
        guard !model.sourceRunID.isEmpty else { return HTML(model.name) }
        return Element.a(
            .href(TrackingPage.run(model.sourceRunID, tab: .models).link),
            .title(model.id.rawValue)
        ) { model.name }
    }

    private func more(than count: Int) -> HTML {
        count > Self.limit ? Element.li(.class("muted")) { "and \(count - Self.limit) more" } : HTML()
    }
}
