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
    /// are more than `keys`.
    static func element(
        _ id: String,
        _ runs: [Run.Info],
        keys: [String] = [],
        hasMore: Bool = false,
        base: String = ""
    ) -> HTML {
        Element.div(
            .id(id),
            Attribute("data-run-ids", runs.map(\.id.rawValue).joined(separator: "\n")),
            Attribute("data-run-names", runs.map(name).joined(separator: "\n")),
            Attribute("data-plotly", Asset.plotly.link.text),
            base.isEmpty ? nil : Attribute("data-base", base),
            hasMore || keys.count > keyLimit ? Attribute("data-more-keys") : nil
        ) {
            Element.template(.id("chart-keys")) {
                for key in keys.prefix(keyLimit) { Element.li() { key } }
            }
            Element.noscript() { Component.empty("This needs JavaScript") }
        }
    }

    /// A run's name on one line.
    private static func name(_ info: Run.Info) -> String {
        let name = String(info.name.map { $0.isNewline ? " " : $0 })
        return name.isEmpty ? info.id.rawValue : name
    }
}
