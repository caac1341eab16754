import ApusConsole
import ApusKernel
import ApusQuery

/// The runs of one experiment: a table that a script makes endless, with the first rows in the page itself.
struct RunsPage {
    let experiment: Experiment
    let window: RunWindow
    let query: RunsQuery
    /// Why the filter cannot be read; nil when it can.
    let problem: String?

    private var total: Int64 { window.total ?? 0 }

    var page: ConsolePage {
        ConsolePage(
            experiment.name,
            section: .experiments,
            crumbs: [.init("Experiments", TrackingPage.experiments.link)],
            scripts: [.table],
            isWide: true
        ) {
            Component.heading(experiment.name, kind: "Experiment") {
                if experiment.stage == .deleted { Component.badge("Deleted", .bad) }
            } actions: {
                Element.button(.class("button"), .type("button"), Attribute("data-compare"), Attribute("disabled")) {
                    "Compare"
                }
                Element.a(
                    .class("button"),
                    .href(link("data", "runs.csv")),
                    Attribute("download", "runs.csv"),
                    Attribute("data-csv")
                ) {
                    "Download CSV"
                }
            }
            if let note = experiment.tags.first(where: { $0.key == "mlflow.note.content" })?.value, !note.isEmpty {
                Element.p(.class("note")) { note }
            }
            toolbar
            if let problem {
                Element.div(.class("filter-error"), .role("alert"), .id("filter-problem")) { problem }
            }
            if total == 0, problem == nil {
                if query.filter.isEmpty {
                    Component.empty("No runs yet", "A run appears here as soon as a client starts it.") {
                        Component.code("mlflow.set_experiment(experiment_id=\"\(experiment.id)\")", language: "python")
                    }
                } else {
                    Component.empty("No run matches the filter") {
                        Element.a(.class("button"), .href(TrackingPage.experiment(experiment.id).link)) {
                            "Clear the filter"
                        }
                    }
                }
            }
            table
        }
    }

    private func link(_ parts: String...) -> Link {
        Link(segments: ["console"] + parts, query: [("experiment", "\(experiment.id)")] + query.items)
    }

    private var toolbar: HTML {
        Element.form(
            .class("toolbar"),
            .role("search"),
            .action(TrackingPage.experiment(experiment.id).link),
            Attribute("data-runs-form")
        ) {
            Element.input(
                .type("search"),
                .name("filter"),
                .value(query.filter),
                .class("grow"),
                Attribute("spellcheck", "false"),
                Attribute("autocomplete", "off"),
                .label("Filter"),
                .placeholder("metrics.loss < 0.1 AND params.model = 'forest'"),
                problem == nil ? nil : Attribute("aria-invalid", "true"),
                problem == nil ? nil : Attribute("aria-describedby", "filter-problem")
            )
            Element.select(.name("view"), .label("Which runs")) {
                for (value, title) in [("active", "Active"), ("deleted", "Deleted"), ("all", "All")] {
                    Element.option(.value(value), query.view == value ? Attribute("selected") : nil) { title }
                }
            }
            if !query.order.isEmpty { Element.input(.type("hidden"), .name("order"), .value(query.order)) }
            Element.button(.class("button button-primary")) { "Search" }
            Element.button(.class("button"), .type("button"), Attribute("data-columns")) { "Columns" }
            Element.output(.class("muted"), Attribute("data-total")) {
                "\(NumberText.grouped(total)) \(total == 1 ? "run" : "runs")"
            }
        }
    }

    private var table: HTML {
        Element.div(
            .id("runs"),
            Attribute("data-runs", "\(experiment.id)"),
            Attribute("data-shown", query.columns.map(\.name).joined(separator: "\n"))
        ) {
            if !window.rows.isEmpty {
                Component.table(
                    "Runs",
                    columns: [.init("Run"), .init("Status"), .init("Started"), .init("Duration")]
                        + query.columns.map { .init($0.key, isNumber: $0.kind == .metric) }
                ) {
                    for row in window.rows { line(row) }
                }
            }
        }
    }

    private func line(_ row: RunWindow.Row) -> HTML {
        Element.tr() {
            Element.td() { RunViews.link(row.info) }
            Element.td() { RunViews.status(row.info) }
            Element.td() { Component.time(row.info.startTime) }
            Element.td() { Component.duration(from: row.info.startTime, to: row.info.endTime) }
            for column in query.columns {
                switch column.kind {
                case .metric: Element.td(.class("number")) { row.metrics[column.key].map(RunViews.metric) ?? HTML() }
                case .param: Element.td() { row.params[column.key] ?? "" }
                case .tag: Element.td() { row.tags[column.key] ?? "" }
                }
            }
        }
    }
}

/// What the address of a table of runs says.
struct RunsQuery: Sendable {
    var filter: String
    var order: String
    var view: String
    var columns: [WindowColumn]

    /// The most columns that are shown without being asked for.
    static let columnsByDefault = 12
    /// The most that can be asked for at once.
    static let columnLimit = 500

    init(_ value: (String) -> String?) {
        filter = value("filter") ?? ""
        order = value("order") ?? ""
        view = value("view") ?? "active"
        columns = (value("columns") ?? "").split(separator: "\n").prefix(Self.columnLimit)
            .compactMap { WindowColumn(name: String($0)) }
    }

    /// The arguments of an address that says the same.
    var items: [(String, String)] {
        var items: [(String, String)] = []
        if !filter.isEmpty { items.append(("filter", filter)) }
        if !order.isEmpty { items.append(("order", order)) }
        if view != "active" { items.append(("view", view)) }
        if !columns.isEmpty { items.append(("columns", columns.map(\.name).joined(separator: "\n"))) }
        return items
    }

    func search(experiment: String, offset: Int64, limit: Int64) -> RunSearch {
        RunSearch(
            experimentIDs: [experiment],
            filter: filter,
            orderBy: order.isEmpty ? [] : [order],
            view: view == "deleted" ? .deletedOnly : view == "all" ? .all : .activeOnly,
            limit: limit,
            pageToken: offset > 0 ? PageToken(offset: Int(clamping: offset)).encoded : ""
        )
    }
}
