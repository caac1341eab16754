import ApusConsole
import ApusKernel
import ApusQuery

/// The runs of one experiment: a table that a script makes endless, with the first rows in the page itself.
struct RunsPage {
    let experiment: Experiment
    let window: RunWindow
    let query: RunsQuery
    /// What runs can be grouped by.
    let columns: [WindowColumn]
    /// Why the filter cannot be read; nil when it can.
    let problem: FilterMistake?

    private var total: Int64 { window.total ?? 0 }
    private var note: String { experiment.tags.first { $0.key == "mlflow.note.content" }?.value ?? "" }

    var page: ConsolePage {
        ConsolePage(
            experiment.name,
            section: .experiments,
            crumbs: [.init("Experiments", TrackingPage.experiments.link)],
            scripts: [.table, .tableFilter, .tableColumns, .tableChoice, .experiment],
            isWide: true
        ) {
            Component.heading(experiment.name, kind: "Experiment") {
                if experiment.stage == .deleted { Component.badge("Deleted", .bad) }
            } actions: {
                views
                Element.a(
                    .class("button"),
                    .href(link("data", "runs.csv")),
                    Attribute("download", "runs.csv"),
                    Attribute("data-csv")
                ) {
                    "Download CSV"
                }
                if experiment.stage == .active {
                    Element.button(
                        .class("button"),
                        .type("button"),
                        Attribute("data-edit-experiment", experiment.name),
                        Attribute("data-note", note)
                    ) { "Edit" }
                } else {
                    Element.button(.class("button"), .type("button"), Attribute("data-restore-experiment")) {
                        "Restore"
                    }
                }
            }
            if !note.isEmpty { Element.p(.class("note")) { note } }
            let tags = experiment.tags.filter { !$0.key.hasPrefix("mlflow.") && !$0.key.hasPrefix("apus.") }
            if !tags.isEmpty {
                Element.div(.class("chips")) {
                    for tag in tags {
                        Element.span(
                            .class("chip"),
                            .title("\(tag.key) = \(tag.value)"),
                            Attribute("data-tag", tag.key)
                        ) { "\(tag.key): \(tag.value)" }
                    }
                }
            }
            toolbar
            Element.div(.id("filter-problem"), Attribute("aria-live", "polite")) {
                if let problem { explanation(problem) }
            }
            if total == 0, problem == nil { nothing }
            table
        }
    }

    private func link(_ parts: String...) -> Link {
        Link(segments: ["console"] + parts, query: [("experiment", "\(experiment.id)")] + query.items)
    }

    // MARK: Above the table

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
                .class("grow mono"),
                Attribute("spellcheck", "false"),
                Attribute("autocomplete", "off"),
                .label("Filter"),
                .placeholder("metrics.loss < 0.1 AND params.model = 'forest'"),
                problem == nil ? nil : Attribute("aria-invalid", "true"),
                Attribute("aria-describedby", "filter-problem")
            )
            Element.button(.class("button button-primary")) { "Search" }
            select("view", "Which runs", [("active", "Active"), ("deleted", "Deleted"), ("all", "All")], query.view)
            select("rows", "Rows", [("", "Nested"), ("flat", "Flat")] + groupings, query.rows)
            if !query.order.isEmpty { Element.input(.type("hidden"), .name("order"), .value(query.order)) }
            Element.button(.class("button"), .type("button"), Attribute("data-columns")) { "Columns" }
            Element.output(
                .class("muted"),
                Attribute("data-total", "\(total)"),
                Attribute("data-all", "\(window.all ?? total)")
            ) { counted }
        }
    }

    private var counted: String {
        let all = window.all ?? total
        let text = "\(NumberText.grouped(all)) \(all == 1 ? "run" : "runs")"
        return all == total ? text : "\(text), \(NumberText.grouped(total)) at the top"
    }

    private func select(_ name: String, _ label: String, _ options: [(String, String)], _ chosen: String) -> HTML {
        Element.select(.name(name), .label(label)) {
            for (value, title) in options {
                Element.option(.value(value), chosen == value ? Attribute("selected") : nil) { title }
            }
        }
    }

    private var groupings: [(String, String)] {
        let fields =
            ["attributes.status", "attributes.user_id"]
            + columns.filter { $0.kind != .metric }.prefix(200).map(\.name)
        let isOther = !query.rows.isEmpty && query.rows != "flat" && !fields.contains(query.rows)
        return (fields + (isOther ? [query.rows] : [])).map { ($0, "By \($0)") }
    }

    private var views: HTML {
        let saved = experiment.tags.compactMap { SavedView($0, experiment: experiment.id) }
        return Element.details(.class("menu"), Attribute("data-views")) {
            Element.summary(.class("button")) { "Views" }
            Element.div(.class("menu-items")) {
                for view in saved {
                    Element.div(.class("menu-item")) {
                        Element.a(.href(view.link)) { view.name }
                        Element.button(
                            .class("icon-button"),
                            .type("button"),
                            Attribute("data-forget", view.name),
                            .label("Remove the view \(view.name)"),
                            .title("Remove")
                        ) { "×" }
                    }
                }
                if saved.isEmpty { Element.p(.class("muted")) { "No saved views yet." } }
                Element.a(.class("menu-item"), .href(TrackingPage.experiment(experiment.id).link)) { "Standard view" }
                Element.form(.class("menu-item"), Attribute("data-keep")) {
                    Element.input(
                        .name("name"),
                        .label("Name of the view"),
                        .placeholder("Save this view as…"),
                        Attribute("maxlength", "100"),
                        Attribute("required"),
                        Attribute("autocomplete", "off")
                    )
                    Element.button(.class("button")) { "Save" }
                }
            }
        }
    }

    /// The message, and the filter with the part marked that it is about.
    private func explanation(_ problem: FilterMistake) -> HTML {
        Element.div(.class("filter-error"), .role("alert")) {
            problem.message
            if let range = problem.range {
                let units = Array(query.filter.utf16)
                let range = range.clamped(to: 0..<units.count)
                Element.pre() {
                    String(decoding: units[..<range.lowerBound], as: UTF16.self)
                    Element.span(.class("filter-mark")) { String(decoding: units[range], as: UTF16.self) }
                    String(decoding: units[range.upperBound...], as: UTF16.self)
                }
            }
        }
    }

    private var nothing: HTML {
        if query.filter.isEmpty {
            Component.empty("No runs yet", "A run appears here as soon as a client starts it.") {
                Component.code("mlflow.set_experiment(experiment_id=\"\(experiment.id)\")", language: "python")
            }
        } else {
            Component.empty("No run matches the filter") {
                Element.a(.class("button"), .href(TrackingPage.experiment(experiment.id).link)) { "Clear the filter" }
            }
        }
    }

    // MARK: The table

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
