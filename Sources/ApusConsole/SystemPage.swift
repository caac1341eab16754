/// What the server is, and how it is doing.
package struct SystemPage: Sendable {
    private let facts: [(name: String, value: String)]
    private let queues: [(name: String, waiting: Int)]

    /// - Parameters:
    ///   - facts: What does not change while the server runs.
    ///   - queues: How many requests wait where.
    package init(facts: [(name: String, value: String)], queues: [(name: String, waiting: Int)]) {
        self.facts = facts
        self.queues = queues
    }

    package var page: ConsolePage {
        ConsolePage("System", section: .system) {
            Component.heading("System")
            Component.card("Server") {
                Component.pairs("server", facts.map { ($0.name, HTML($0.value)) }, empty: "")
            }
            Component.card("Waiting now", note: "requests that the database has not begun") {
                Component.pairs("queues", queues.map { ($0.name, HTML("\($0.waiting)")) }, empty: "")
            }
            Component.card("For machines") {
                Element.ul() {
                    Element.li() { Element.a(.href(Link("metrics"))) { "Prometheus metrics" } }
                    Element.li() { Element.a(.href(Link("health"))) { "Health" } }
                    Element.li() { Element.a(.href(Link("version"))) { "Version of the MLflow protocol" } }
                }
            }
        }
    }
}
