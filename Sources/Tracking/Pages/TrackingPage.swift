package import ApusConsole
import ApusKernel

/// The addresses of tracking's pages: what the router serves and what links point to.
package enum TrackingPage: Sendable {
    case experiments
    case experiment(Int64)
    case run(String, tab: RunTab = .overview)
    case compare([String])

    package enum RunTab: String, Sendable, CaseIterable {
        case overview = "Overview"
        case charts = "Charts"
        case system = "System"
        case artifacts = "Artifacts"
        case models = "Models"
    }

    /// The pattern of the router, for one example of each.
    var pattern: String {
        switch self {
        case .experiments: "console/experiments"
        case .experiment: "console/experiments/{experiment_id}"
        case .run(_, .overview): "console/runs/{run_id}"
        case .run(_, let tab): "console/runs/{run_id}/\(tab.rawValue.lowercased())"
        case .compare: "console/compare"
        }
    }

    package var link: Link { link() }

    /// The address with arguments.
    package func link(_ query: [(String, String)] = []) -> Link {
        switch self {
        case .experiments: Link("console", "experiments", query: query)
        case .experiment(let id): Link("console", "experiments", "\(id)", query: query)
        case .run(let id, .overview): Link("console", "runs", id, query: query)
        case .run(let id, let tab): Link("console", "runs", id, tab.rawValue.lowercased(), query: query)
        case .compare(let ids): Link("console", "compare", query: ids.map { ("run", $0) } + query)
        }
    }
}
