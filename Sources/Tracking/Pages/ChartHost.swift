import ApusConsole
import ApusKernel

/// The place where scripts draw something about runs, with what they need to begin.
enum ChartHost {
    /// What draws curves, in the order of their needs.
    static let scripts: [Asset] = [.series, .lines, .chart, .charts]
    /// So many keys of metrics come with the page; a script asks for the rest.
    static let keyLimit = 500

    /// The element with an `id` that says what is drawn there: `charts`, `relations` or `images`.
    ///
    /// `keys` are the names of metrics, for charts; at most ``keyLimit`` of them are sent along. `hasMore` says that there
    /// are more than `keys`. `part` leaves out metrics of the machine (`model`) or all others (`system`). `empty` is shown
    /// until there are keys.
    static func element(
        _ id: String,
        _ runs: [Run.Info],
        keys: [String] = [],
        hasMore: Bool = false,
        part: String = "",
        empty: HTML = HTML()
    ) -> HTML {
        Element.div(
            .id(id),
            Attribute("data-run-ids", runs.map(\.id.rawValue).joined(separator: "\n")),
            Attribute("data-run-names", runs.map(name).joined(separator: "\n")),
            Attribute("data-plotly", Asset.plotly.link.text),
            part.isEmpty ? nil : Attribute("data-part", part),
            hasMore || keys.count > keyLimit ? Attribute("data-more-keys") : nil
        ) {
            Element.template(.id("chart-keys")) {
                for key in keys.prefix(keyLimit) { Element.li() { key } }
            }
            if keys.isEmpty, !empty.isEmpty { Element.div(Attribute("data-empty")) { empty } }
            Element.noscript() { Component.empty("This needs JavaScript") }
        }
    }

    /// A run's name on one line.
    private static func name(_ info: Run.Info) -> String {
        let name = String(info.name.map { $0.isNewline ? " " : $0 })
        return name.isEmpty ? info.id.rawValue : name
    }
}
