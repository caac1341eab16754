import ApusConsole
import ApusDatabase
import ApusGateway
import Tracking

/// What this server is, and how it is doing.
struct SystemPage {
    let settings: ServerSettings
    let database: Database
    let tracking: TrackingCapability

    func page() -> ConsolePage {
        ConsolePage("System", section: .system) {
            Component.heading("System")
            Component.card("Server") {
                Component.pairs(
                    "server",
                    [
                        ("Version", HTML(Build.version)), ("Database", HTML(place)),
                        ("Data folder", HTML(settings.dataFolder)), ("Artifacts", HTML(settings.vaultFolder)),
                        ("Default artifact root", HTML(settings.artifactRoot)),
                        ("Host check", HTML(settings.checksHosts ? "on" : "off")),
                    ],
                    empty: ""
                )
            }
            Component.card("Waiting now", note: "requests that the database has not begun") {
                Component.pairs(
                    "queues",
                    [
                        ("Writes", HTML("\(database.waitingWrites + tracking.store.waitingWrites)")),
                        ("Reads", HTML("\(database.waitingReads)")),
                    ],
                    empty: ""
                )
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

    /// Without the password that an address may hold.
    private var place: String {
        switch settings.database {
        case .sqlite(let path): "SQLite, \(path)"
        case .postgres: "PostgreSQL"
        }
    }
}
