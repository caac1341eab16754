package import ApusDatabase
package import ApusGateway

/// What the server is, what it stores, and how it is doing.
package struct SystemPage: Sendable {
    /// What the server knows of itself.
    package struct Report: Sendable {
        /// What does not change while the server runs.
        package var facts: [(name: String, value: String)] = []
        /// When the server began, in milliseconds since the Unix epoch.
        package var started: Int64 = 0
        package var databaseBytes: Int64 = 0
        /// What is stored, by kind.
        package var storage: [TableUsage] = []
        /// The space that is left where artifacts are kept.
        package var freeBytes: Int64?
        package var residentBytes: Int64?
        /// How much waits where, and for what.
        package var queues: [(name: String, waiting: Int64, note: String)] = []
        package var requests: [RequestObservation.Summary] = []

        package init() {}
    }

    private let report: Report
    private static let routeLimit = 12
    /// Less free space than this needs attention.
    private static let scarceBytes: Int64 = 1 << 30

    package init(_ report: Report) { self.report = report }

    package var page: ConsolePage {
        ConsolePage("System", section: .system) {
            Component.heading("System") {
            } actions: {
                Element.a(.href(Link("metrics")), .class("button")) { "Metrics for Prometheus" }
                Element.a(.href(Link("health")), .class("button")) { "Health" }
            }
            Element.div(Attribute("data-refresh", "5")) {
                figures
                Element.div(.class("grid")) {
                    Component.card("Storage") { storage }
                    Component.card("Waiting now") { queues }
                }
                Component.card("Requests", note: "since the start, until the answer begins") { classes }
                Component.card("Busiest addresses") { routes }
            }
            Component.card("Server") {
                Component.pairs("server", report.facts.map { ($0.name, HTML($0.value)) }, empty: "")
            }
        }
    }

    private var figures: HTML {
        let failed = report.requests.reduce(0) { $0 + $1.failed }
        var stats = [
            (title: "Runs for", value: Component.duration(from: report.started, to: nil)),
            ("Requests", HTML(NumberText.grouped(report.requests.reduce(0) { $0 + $1.total }))),
            (
                "Failed",
                HTML(NumberText.grouped(failed)) + (failed > 0 ? Component.badge("look at the log", .bad) : HTML())
            ),
            ("Database", HTML(NumberText.bytes(report.databaseBytes))),
        ]
        if let free = report.freeBytes {
            let warning = free < Self.scarceBytes ? Component.badge("scarce", .bad) : HTML()
            stats.append(("Free space", HTML(NumberText.bytes(free)) + warning))
        }
        if let resident = report.residentBytes { stats.append(("Memory", HTML(NumberText.bytes(resident)))) }
        return Component.stats(stats)
    }

    private var storage: HTML {
        Component.table(
            "Storage",
            columns: [.init("Kind"), .init("Count", isNumber: true), .init("Size", isNumber: true)]
        ) {
            for kind in report.storage {
                Element.tr() {
                    Element.td() { kind.name }
                    Element.td(.class("number")) { "\(kind.isMore ? "> " : "")\(NumberText.grouped(kind.count))" }
                    Element.td(.class("number")) {
                        kind.bytes.map { "\(kind.isMore ? "> " : "")\(NumberText.bytes($0))" } ?? ""
                    }
                }
            }
        }
    }

    private var queues: HTML {
        Component.table("Waiting now", columns: [.init("Queue"), .init("Waiting", isNumber: true)]) {
            for queue in report.queues {
                Element.tr() {
                    Element.td() {
                        Element.div() { queue.name }
                        Element.div(.class("muted")) { queue.note }
                    }
                    Element.td(.class("number")) { NumberText.grouped(queue.waiting) }
                }
            }
        }
    }

    // MARK: Requests

    private static let columns: [Component.Column] = [
        .init("Requests", isNumber: true), .init("Refused", isNumber: true), .init("Failed", isNumber: true),
        .init("Median", isNumber: true), .init("95 %", isNumber: true), .init("Mean", isNumber: true),
    ]

    @HTMLBuilder private static func cells(_ summary: RequestObservation.Summary) -> HTML {
        let mean = summary.total > 0 ? summary.seconds / Double(summary.total) : 0
        for number in [summary.total, summary.refused, summary.failed] {
            Element.td(.class("number")) { NumberText.grouped(number) }
        }
        for seconds in [summary.quantile(0.5) ?? 0, summary.quantile(0.95) ?? 0, mean] {
            Element.td(.class("number")) { "\(NumberText.short((seconds * 100_000).rounded() / 100)) ms" }
        }
    }

    private var classes: HTML {
        var sums: [(name: String, sum: RequestObservation.Summary)] = []
        for summary in report.requests {
            let name = Self.kind(of: summary.path)
            if let place = sums.firstIndex(where: { $0.name == name }) {
                sums[place].sum = sums[place].sum.adding(summary)
            } else {
                sums.append((name, summary))
            }
        }
        return Component.table("Requests", columns: [.init("Kind")] + Self.columns) {
            for kind in sums {
                Element.tr() {
                    Element.td() { kind.name }
                    Self.cells(kind.sum)
                }
            }
        }
    }

    private static func kind(of path: String) -> String {
        if path.hasPrefix("console/assets/") { return "Files of pages" }
        if path.hasPrefix("console/data") || path == "console/events" { return "Data of pages" }
        if path.hasPrefix("console") { return "Pages" }
        if path.contains("artifact") { return "Artifacts" }
        return path.hasPrefix("2.0/") || path.hasPrefix("3.0/") ? "Tracking and registry" : "Other"
    }

    private var routes: HTML {
        Component.table("Busiest addresses", columns: [.init("Address")] + Self.columns) {
            for summary in report.requests.prefix(Self.routeLimit) {
                Element.tr() {
                    Element.td() { Element.code() { "\(summary.method) \(summary.path.isEmpty ? "/" : summary.path)" } }
                    Self.cells(summary)
                }
            }
        }
    }
}
