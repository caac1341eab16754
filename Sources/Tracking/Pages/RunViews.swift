import ApusConsole
import ApusKernel

/// Pieces that several pages of runs share.
enum RunViews {
    static func status(_ info: Run.Info) -> HTML {
        if info.stage == .deleted { return Component.badge("Deleted") }
        return switch info.status {
        case .running: Component.badge("Running", .busy)
        case .scheduled: Component.badge("Scheduled", .accent)
        case .finished: Component.badge("Finished", .good)
        case .failed: Component.badge("Failed", .bad)
        case .killed: Component.badge("Killed", .bad)
        }
    }

    /// Whether a metric tells of the machine; MLflow's client puts these below one name.
    static func isSystem(_ key: String) -> Bool { key.hasPrefix("system/") }

    static func link(_ info: Run.Info) -> HTML {
        Element.a(.href(TrackingPage.run(info.id.rawValue).link)) { info.name.isEmpty ? info.id.rawValue : info.name }
    }

    static func metric(_ value: Double) -> HTML {
        Element.span(.title("\(value)")) { NumberText.short(value) }
    }

    /// A few runs, for pages that are not about one experiment.
    static func list(_ label: String, _ runs: [Run.Info], experiments: [Int64: String]) -> HTML {
        Component.table(
            label,
            columns: [.init("Run"), .init("Status"), .init("Experiment"), .init("Started"), .init("Duration")]
        ) {
            for info in runs {
                Element.tr() {
                    Element.td() { link(info) }
                    Element.td() { status(info) }
                    Element.td() {
                        Element.a(.href(TrackingPage.experiment(info.experimentID).link)) {
                            experiments[info.experimentID] ?? "\(info.experimentID)"
                        }
                    }
                    Element.td() { Component.time(info.startTime) }
                    Element.td() { Component.duration(from: info.startTime, to: info.endTime ?? endOfOpen(info)) }
                }
            }
        }
    }

    /// A run that ended without saying when has no duration.
    private static func endOfOpen(_ info: Run.Info) -> Int64? {
        info.status == .running ? nil : info.startTime
    }
}
