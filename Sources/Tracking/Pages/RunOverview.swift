import ApusConsole
import ApusKernel

/// What a run was, took and gave, on its first page.
struct RunOverview {
    let run: Run
    let lineage: RunLineage
    let versions: [RegisteredVersion]

    private static let noteTag = "mlflow.note.content"

    private var info: Run.Info { run.info }
    private var id: String { info.id.rawValue }
    private var live: Attribute { Attribute("data-live-run", id) }
    private func tag(_ key: String) -> String? {
        run.tags.first { $0.key == key }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    @HTMLBuilder var html: HTML {
        Element.div(.class("grid"), live) {
            Component.card("About") { about }
            Component.card("Notes") { notes }
        }
        Element.div(.class("grid"), live) {
            Component.card("Metrics", note: count(metrics.count, "latest value", "latest values")) {
                Component.pairs(
                    "metrics",
                    metrics.prefix(Self.metricsShown).map(row),
                    empty: "mlflow.log_metric(key, value, step=…)",
                    search: hasMoreMetrics ? search : nil
                )
            }
            Component.card("Params", note: count(run.params.count, "param", "params")) {
                Component.pairs(
                    "params",
                    run.params.map { ($0.key, HTML($0.value)) },
                    empty: "mlflow.log_param(key, value)"
                )
            }
        }
        Element.div(live) {
            Component.card("Lineage", note: "where it comes from, and what came of it") {
                RunLineageView(run: run, lineage: lineage, versions: versions).html
            }
        }
        Element.div(live) { Component.card("Datasets") { RunDatasets(run: run).html } }
        Component.card("Tags") { tags }
    }

    /// Metrics of the model: those of the machine have their own page.
    private var metrics: [MetricPoint] { run.metrics.filter { !RunViews.isSystem($0.key) } }

    /// So many are on the page; a script finds others.
    private static let metricsShown = 500
    var hasMoreMetrics: Bool { metrics.count > Self.metricsShown }

    private var search: HTML {
        HTMLBuilder.buildBlock(
            Element.input(
                .type("search"),
                .class("narrow"),
                .placeholder("Find in all metrics, text or /regular expression/"),
                .label("Find in all metrics"),
                Attribute("data-find-metrics", id)
            ),
            Element.p(.class("muted")) { "The first \(Self.metricsShown) are listed; the others are found by name." },
            Element.p(.class("muted"), .role("status"), Attribute("data-found")) { HTML() }
        )
    }

    private func row(_ point: MetricPoint) -> (key: String, value: HTML) {
        let link = TrackingPage.run(id, tab: .charts).link([("key", point.key)])
        return (point.key, Element.a(.href(link), .class("number")) { RunViews.metric(point.shownValue) })
    }

    private func count(_ number: Int, _ one: String, _ many: String) -> String {
        "\(NumberText.grouped(Int64(number))) \(number == 1 ? one : many)"
    }

    private var about: HTML {
        Element.dl(.class("kv")) {
            pair("Run id") { Element.code() { id } }
            pair("Started") { Component.time(info.startTime) }
            pair("Duration") { Component.duration(from: info.startTime, to: info.endTime) }
            pair("User") { tag("mlflow.user") ?? info.userID }
            if let source = tag("mlflow.source.name") {
                pair("Source") {
                    Element.code() { source }
                    if let type = tag("mlflow.source.type") {
                        Element.span(.class("muted")) { " \(type.lowercased())" }
                    }
                }
            }
            if let entry = tag("mlflow.project.entryPoint") { pair("Entry point") { Element.code() { entry } } }
            if let commit = tag("mlflow.source.git.commit") {
                pair("Commit") { Element.code(.title(commit)) { commit } }
            }
            if let branch = tag("mlflow.source.git.branch") { pair("Branch") { Element.code() { branch } } }
            if let repository = tag("mlflow.source.git.repoURL") ?? tag("mlflow.gitRepoURL") {
                pair("Repository") { Component.address(repository) }
            }
            pair("Artifacts") { Element.code() { info.artifactURI } }
        }
    }

    @HTMLBuilder private func pair(_ name: String, @HTMLBuilder _ value: () -> HTML) -> HTML {
        Element.dt() { name }
        Element.dd(content: value)
    }

    @HTMLBuilder private var notes: HTML {
        let text = tag(Self.noteTag) ?? ""
        if info.stage == .active {
            Component.notes(
                "notes",
                text,
                empty: "What was tried, and what was found? Notes are in Markdown.",
                call: Call(.post, "runs/set-tag", [("run_id", id), ("key", Self.noteTag)]),
                field: "value"
            )
        } else {
            Component.markdown(text)
        }
    }

    /// Tags that MLflow sets for itself are told elsewhere.
    @HTMLBuilder private var tags: HTML {
        let own = run.tags.filter { !$0.key.hasPrefix("mlflow.") }.map { (key: $0.key, value: $0.value) }
        if info.stage == .active {
            Component.tags(
                own,
                live: live,
                set: { Call(.post, "runs/set-tag", [("run_id", id)] + $0) },
                delete: { Call(.post, "runs/delete-tag", [("run_id", id)] + $0) }
            )
        } else {
            Element.div(live) {
                Component.pairs("tags", own.map { ($0.key, HTML($0.value)) }, empty: "mlflow.set_tag(key, value)")
            }
        }
    }
}
