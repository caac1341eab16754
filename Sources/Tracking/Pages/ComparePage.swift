import ApusConsole
import ApusKernel

/// Several runs side by side.
struct ComparePage {
    static let limit = 200

    /// The rows of one table.
    struct Table: Sendable {
        let kind: WindowColumn.Kind
        let keys: ComparedKeys
    }

    let query: CompareQuery
    /// The runs, with the cells that the tables show.
    let rows: [RunWindow.Row]
    /// Runs that were asked for and are not there.
    let missing: Int
    let tables: [Table]
    /// The metrics that charts are drawn of.
    let metrics: ComparedKeys

    /// The most rows of a table of so many runs, so that no page has more than some thousand cells.
    static func rowLimit(runs: Int) -> Int { min(500, max(10, 12_000 / max(1, runs))) }
    /// The rows of the short table below the charts.
    static let shortRowLimit = 30

    private var ids: [String] { rows.map(\.info.id.rawValue) }
    /// Where the run stands that the others are compared with.
    private var base: Int { rows.firstIndex { $0.info.id.rawValue == query.base } ?? 0 }

    var page: ConsolePage {
        ConsolePage(
            rows.count == 1 ? "1 run" : "\(rows.count) runs",
            section: .experiments,
            crumbs: [.init("Experiments", TrackingPage.experiments.link)],
            scripts: rows.isEmpty ? [] : scripts,
            isWide: true
        ) {
            Component.heading("Compare \(rows.count) runs")
            if missing > 0 {
                Element.p(.class("muted")) {
                    missing == 1
                        ? "One of the chosen runs is not there." : "\(missing) of the chosen runs are not there."
                }
            }
            if rows.isEmpty {
                Component.empty("No runs chosen", "Choose runs in the table of an experiment, then Compare.")
            } else {
                Component.tabs(
                    "Ways to compare",
                    CompareQuery.View.allCases.map { ($0.rawValue, link($0), $0 == query.view) }
                )
                switch query.view {
                case .charts: charts
                case .differences: differences
                case .relations: ChartHost.element("relations", rows.map(\.info))
                case .images: ChartHost.element("images", rows.map(\.info))
                }
            }
        }
    }

    private var scripts: [Asset] {
        switch query.view {
        case .charts: ChartHost.scripts
        case .differences: [.compare]
        case .relations: [.series, .parallel, .relations]
        case .images: [.compare]
        }
    }

    private func link(_ view: CompareQuery.View) -> Link {
        var items: [(String, String)] = view == .charts ? [] : [("view", view.word)]
        if !query.base.isEmpty { items.append(("base", query.base)) }
        return TrackingPage.compare(ids).link(items)
    }

    @HTMLBuilder private var charts: HTML {
        ChartHost.element(
            "charts",
            rows.map(\.info),
            keys: metrics.keys,
            hasMore: metrics.hasMore,
            empty: Component.empty("No metrics", "mlflow.log_metric(key, value, step=…) draws a curve here.")
        )
        for table in tables where !table.keys.keys.isEmpty {
            Component.card("Params that differ") {
                grid(table)
                Element.p(.class("chart-note")) {
                    if table.keys.hasMore { "The first \(table.keys.keys.count) are shown. " }
                    Element.a(.href(link(.differences))) { "All differences of params, metrics and tags" }
                }
            }
        }
    }

    // MARK: Tables

    @HTMLBuilder private var differences: HTML {
        Element.form(
            .class("toolbar"),
            Attribute("method", "get"),
            .action(Link("console", "compare")),
            Attribute("data-differences")
        ) {
            Element.input(.type("hidden"), .name("view"), .value(CompareQuery.View.differences.word))
            for id in ids { Element.input(.type("hidden"), .name("run"), .value(id)) }
            Element.label(.class("grow")) {
                "Find keys "
                Element.input(.type("search"), .name("find"), .value(query.text), .placeholder("Part of a key"))
            }
            Element.label() {
                "Baseline "
                Element.select(.name("base")) {
                    for (place, row) in rows.enumerated() {
                        Element.option(
                            .value(row.info.id.rawValue),
                            place == base ? Attribute("selected") : nil
                        ) { row.info.name.isEmpty ? row.info.id.rawValue : row.info.name }
                    }
                }
            }
            Element.label() {
                Element.input(
                    .type("checkbox"),
                    .name("differs"),
                    .value("1"),
                    query.isDiffering ? Attribute("checked") : nil
                )
                " Only differences"
            }
            Element.button(.class("button"), .type("submit")) { "Show" }
        }
        Element.div(Attribute("data-tables"), Attribute("aria-live", "polite")) {
            if tables.allSatisfy({ shown($0).isEmpty }) {
                query.isDiffering && query.text.isEmpty
                    ? Component.empty("No differences", "Params, latest metrics and tags are the same in all runs.")
                    : Component.empty("Nothing found", "No key of a param, metric or tag is like this.")
            }
            for table in tables where !shown(table).isEmpty {
                Component.card(title(table.kind), note: note(table)) { grid(table) }
            }
        }
    }

    private func title(_ kind: WindowColumn.Kind) -> String {
        switch kind {
        case .param: "Params"
        case .metric: "Metrics"
        case .tag: "Tags"
        }
    }

    private func note(_ table: Table) -> String {
        let what =
            table.kind == .metric ? "latest values, and how far they are from the baseline" : "marked where runs differ"
        guard table.keys.hasMore else { return what }
        return "\(what); the first \(table.keys.keys.count) keys, find others by name"
    }

    /// The keys of a table, without those whose rows are not wanted.
    private func shown(_ table: Table) -> [String] {
        query.isDiffering ? table.keys.keys.filter { isDifferent(table.kind, $0) } : table.keys.keys
    }

    private func isDifferent(_ kind: WindowColumn.Kind, _ key: String) -> Bool {
        guard let first = rows.first.map({ text($0, kind, key) }) else { return false }
        return rows.contains { text($0, kind, key) != first }
    }

    private func text(_ row: RunWindow.Row, _ kind: WindowColumn.Kind, _ key: String) -> String? {
        switch kind {
        case .param: row.params[key]
        case .metric: row.metrics[key].map { "\($0)" }
        case .tag: row.tags[key]
        }
    }

    private func grid(_ table: Table) -> HTML {
        Element.div(
            .class("table-wrap"),
            .role("region"),
            .label(title(table.kind)),
            Attribute("tabindex", "0")
        ) {
            Element.table(.label(title(table.kind))) {
                Element.thead() {
                    Element.tr() {
                        Element.th(Attribute("scope", "col")) { "Key" }
                        for (place, row) in rows.enumerated() {
                            Element.th(Attribute("scope", "col"), table.kind == .metric ? .class("number") : nil) {
                                RunViews.link(row.info)
                                if place == base { Component.badge("baseline", .accent) }
                            }
                        }
                    }
                }
                Element.tbody() {
                    for key in shown(table) { line(table.kind, key) }
                }
            }
        }
    }

    /// A row is marked when runs differ, and of its cells those that are unlike the baseline's.
    private func line(_ kind: WindowColumn.Kind, _ key: String) -> HTML {
        let compared = rows[base]
        return Element.tr(
            .class(isDifferent(kind, key) ? "diff-changed" : "diff-same"),
            Attribute("data-name", key)
        ) {
            Element.th(Attribute("scope", "row")) { key }
            for row in rows {
                if kind == .metric {
                    Element.td(.class("number")) { metric(row.metrics[key], compared.metrics[key]) }
                } else {
                    let value = text(row, kind, key)
                    Element.td(value == text(compared, kind, key) ? nil : .class("diff-changed")) { short(value) }
                }
            }
        }
    }

    @HTMLBuilder private func metric(_ value: Double?, _ base: Double?) -> HTML {
        if let value {
            RunViews.metric(value)
            if let base, value != base, (value - base).isFinite {
                Element.span(.class("muted")) { " \(value > base ? "+" : "−")\(NumberText.short(abs(value - base)))" }
            }
        } else {
            "–"
        }
    }

    /// Long texts are told whole on the page of their run.
    private func short(_ value: String?) -> String {
        guard let value else { return "–" }
        return value.utf8.count > 300 ? "\(value.prefix(200))…" : value
    }
}
