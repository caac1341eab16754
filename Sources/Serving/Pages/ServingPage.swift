package import ApusConsole

/// The addresses of the pages of endpoints.
package enum ServingPage: Sendable {
    case endpoints
    case endpoint(String)
    /// The form that asks, and code that does.
    case attempt(String)
    case predictions(String)
    case prediction(String, String)

    /// The beginning of the Ledger's actions that change what these pages show.
    static let changes = "endpoint."

    /// The pattern of the router, for one example of each.
    var pattern: String {
        switch self {
        case .endpoints: "console/endpoints"
        case .endpoint: "console/endpoints/{name}"
        case .attempt: "console/endpoints/{name}/try"
        case .predictions: "console/endpoints/{name}/predictions"
        case .prediction: "console/endpoints/{name}/predictions/{id}"
        }
    }

    package var link: Link { link() }

    /// The address with arguments.
    package func link(_ query: [(String, String)] = []) -> Link {
        switch self {
        case .endpoints: Link("console", "endpoints", query: query)
        case .endpoint(let name): Link("console", "endpoints", name, query: query)
        case .attempt(let name): Link("console", "endpoints", name, "try", query: query)
        case .predictions(let name): Link("console", "endpoints", name, "predictions", query: query)
        case .prediction(let name, let id): Link("console", "endpoints", name, "predictions", id, query: query)
        }
    }

    /// Where the charts of an endpoint get what they draw.
    static func traffic(_ name: String) -> Link { Link("console", "data", "endpoints", name, "traffic") }

    static let trafficPattern = "console/data/endpoints/{name}/traffic"

    /// A verb of an endpoint in the API.
    static func verb(_ name: String, _ verb: String) -> Link { Link("ajax-api", "v1", "endpoints", name, verb) }
}
