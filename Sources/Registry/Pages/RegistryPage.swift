package import ApusConsole

/// The addresses of the registry's pages.
package enum RegistryPage: Sendable {
    case models
    case model(String)
    case version(String, String)
    case compare(String)

    /// The beginnings of the Ledger's actions that change what these pages show.
    static let changes = "registered_model,model_version"

    /// The pattern of the router, for one example of each.
    var pattern: String {
        switch self {
        case .models: "console/models"
        case .model: "console/models/{name}"
        case .version: "console/models/{name}/versions/{version}"
        case .compare: "console/models/{name}/compare"
        }
    }

    package var link: Link { link() }

    /// The address with arguments.
    package func link(_ query: [(String, String)] = []) -> Link {
        switch self {
        case .models: Link("console", "models", query: query)
        case .model(let name): Link("console", "models", name, query: query)
        case .version(let name, let version): Link("console", "models", name, "versions", version, query: query)
        case .compare(let name): Link("console", "models", name, "compare", query: query)
        }
    }
}
