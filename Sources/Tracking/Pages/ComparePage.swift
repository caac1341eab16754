import ApusConsole
import ApusKernel

/// Several runs side by side.
struct ComparePage {
    static let limit = 200
    /// The most cells of one table; rows beyond that are left out, and the page says so.
    private static let cellLimit = 40_000

    let runs: [Run]

    var page: ConsolePage {
        ConsolePage(
            runs.count == 1 ? "1 run" : "\(runs.count) runs",
            section: .experiments,
            crumbs: [.init("Experiments", TrackingPage.experiments.link)],
            scripts: [.charts],
            isWide: true
        ) {
            Component.heading("Compare \(runs.count) runs")
            if runs.isEmpty {
                Component.empty("No runs chosen", "Choose runs in the table of an experiment, then Compare.")
            } else {
                charts
                difference("Params", \.params)
                metricTable
                difference("Tags", \.tags)
            }
        }
    }

    private func name(_ run: Run) -> String { run.info.name.isEmpty ? run.info.id.rawValue : run.info.name }

    private var charts: HTML {
        Element.div(
            .id("charts"),
            Attribute("data-run-ids", runs.map(\.info.id.rawValue).joined(separator: "\n")),
            Attribute("data-run-names", runs.map(name).joined(separator: "\n")),
            Attribute("data-plotly", Asset.plotly.link.text),
            Attribute("data-parallel")
        ) {
            Element.template(.id("chart-keys")) {
                for key in Set(runs.flatMap { $0.metrics.map(\.key) }).sorted() { Element.li() { key } }
            }
            Element.noscript() { Component.empty("Charts need JavaScript") }
        }
    }

    /// A row for each key; rows whose values differ are marked, and others can be hidden.
    @HTMLBuilder private func difference(_ title: String, _ pairs: KeyPath<Run, [KeyValue]>) -> HTML {
        let columns = runs.map { run in
            Dictionary(run[keyPath: pairs].map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
        }
        let all = Set(columns.flatMap(\.keys)).filter { !$0.hasPrefix("mlflow.") }.sorted()
        let keys = shown(all)
        if !keys.isEmpty {
            Component.card(title, note: "marked where runs differ\(rest(all))") {
                Component.narrowing(title.lowercased())
                grid(title) {
                    for key in keys {
                        let values = columns.map { $0[key] }
                        Element.tr(
                            .class(Set(values).count > 1 ? "diff-changed" : "diff-same"),
                            Attribute("data-name", key)
                        ) {
                            Element.th(Attribute("scope", "row")) { key }
                            for value in values { Element.td() { value ?? "–" } }
                        }
                    }
                }
            }
        }
    }

    /// The latest values, with the difference to the first run.
    @HTMLBuilder private var metricTable: HTML {
        let columns = runs.map { run in
            Dictionary(run.metrics.map { ($0.key, $0.shownValue) }, uniquingKeysWith: { _, last in last })
        }
        let all = Set(columns.flatMap(\.keys)).sorted()
        let keys = shown(all)
        if !keys.isEmpty {
            Component.card("Metrics", note: "latest values; the first run is the baseline\(rest(all))") {
                Component.narrowing("metrics")
                grid("Metrics") {
                    for key in keys {
                        let base = columns.first?[key]
                        Element.tr(Attribute("data-name", key)) {
                            Element.th(Attribute("scope", "row")) { key }
                            for (place, column) in columns.enumerated() {
                                Element.td(.class("number")) {
                                    if let value = column[key] {
                                        RunViews.metric(value)
                                        if place > 0, let base, value - base != 0, (value - base).isFinite {
                                            Element.span(.class("muted")) {
                                                " \(value > base ? "+" : "−")\(NumberText.short(abs(value - base)))"
                                            }
                                        }
                                    } else {
                                        "–"
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private func shown(_ keys: [String]) -> [String] { Array(keys.prefix(Self.cellLimit / max(1, runs.count))) }

    private func rest(_ keys: [String]) -> String {
        let left = keys.count - shown(keys).count
        return left > 0 ? "; \(NumberText.grouped(Int64(left))) more rows are left out" : ""
    }

    private func grid(_ label: String, @HTMLBuilder rows: () -> HTML) -> HTML {
        Element.div(.class("table-wrap"), .role("region"), .label(label), Attribute("tabindex", "0")) {
            Element.table(.label(label)) {
                Element.thead() {
                    Element.tr() {
                        Element.th(Attribute("scope", "col")) { "Key" }
                        for run in runs { Element.th(Attribute("scope", "col")) { RunViews.link(run.info) } }
                    }
                }
                Element.tbody(content: rows)
            }
        }
    }
}
