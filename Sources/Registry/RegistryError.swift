package import ApusKernel

/// What can go wrong in the registry, in MLflow's words.
package enum RegistryError: PublicError, Equatable {
    case modelNotFound(name: String)
    case versionNotFound(name: String, version: Int64)
    case noVersions(name: String)
    case aliasNotFound(alias: String)
    case exists(name: String, isPrompt: Bool, asPrompt: Bool)
    case loggedModelNotFound(id: String)
    /// The source is not one that the request may name; `field` would have to name its owner.
    case foreignSource(String, field: String)
    case localSource(String, field: String)
    case relativeSource(String)
    case invalidSource(String, why: String)
    case webhookNotFound(id: String)

    package var code: ErrorCode {
        switch self {
        case .modelNotFound, .versionNotFound, .noVersions, .loggedModelNotFound, .webhookNotFound:
            .resourceDoesNotExist
        case .exists: .resourceAlreadyExists
        case .aliasNotFound, .foreignSource, .localSource, .relativeSource, .invalidSource: .invalidParameterValue
        }
    }

    package var message: String {
        switch self {
        case .modelNotFound(let name): "Registered Model with name=\(name) not found"
        case .versionNotFound(let name, let version): "Model Version (name=\(name), version=\(version)) not found"
        case .noVersions(let name): "Latest version not found for model \(name)."
        case .aliasNotFound(let alias): "Registered model alias \(alias) not found."
        case .exists(let name, let isPrompt, let asPrompt) where isPrompt != asPrompt:
            "Tried to create a \(asPrompt ? "prompt" : "registered model") with name '\(name)', but the name is "
                + "already taken by a \(isPrompt ? "prompt" : "registered model"). MLflow does not allow creating a "
                + "model and a prompt with the same name."
        case .exists(let name, _, let asPrompt):
            "\(asPrompt ? "Prompt" : "Registered Model") (name=\(name)) already exists."
        case .loggedModelNotFound(let id): "Logged model with ID '\(id)' not found."
        case .foreignSource(let source, let field):
            "Invalid model version source: '\(source)'. The \(field) request parameter must identify the resource "
                + "that contains the source."
        case .localSource(let source, let field):
            "Invalid model version source: '\(source)'. To use a local path as a model version source, the \(field) "
                + "request parameter has to be specified and the local path has to be contained within the artifact "
                + "directory of the run specified by the \(field)."
        case .relativeSource(let source):
            "Invalid model version source: '\(source)'. If supplying a source as an http, https, local file path, "
                + "ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative "
                + "path references present. Please provide an absolute path."
        case .invalidSource(let source, let why): "Invalid model version source: '\(source)'. \(why)"
        case .webhookNotFound(let id): "Webhook with ID \(id) not found."
        }
    }
}
