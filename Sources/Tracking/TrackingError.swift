package import ApusKernel

/// What can go wrong in tracking, in MLflow's words.
package enum TrackingError: PublicError, Equatable {
    case experimentNotFound(id: String)
    case experimentNameNotFound(String)
    case experimentExists(name: String)
    case experimentNotActive(id: Int64)
    case runNotFound(id: String)
    case runNotActive(id: String)
    case runTagNotFound(key: String, run: String)
    case experimentTagNotFound(key: String, experiment: String)
    case paramChanged(key: String, old: String, new: String, run: String)
    case paramsChanged([(key: String, old: String, new: String)], run: String)
    case loggedModelNotFound(id: String)

    package static func == (left: TrackingError, right: TrackingError) -> Bool {
        left.message == right.message
    }

    package var code: ErrorCode {
        switch self {
        case .experimentNotFound, .experimentNameNotFound, .runNotFound, .runTagNotFound, .experimentTagNotFound,
            .loggedModelNotFound:
            .resourceDoesNotExist
        case .experimentExists: .resourceAlreadyExists
        case .experimentNotActive, .runNotActive, .paramChanged, .paramsChanged: .invalidParameterValue
        }
    }

    package var message: String {
        switch self {
        case .experimentNotFound(let id): "No Experiment with id=\(id) exists"
        case .experimentNameNotFound(let name): "Could not find experiment with name '\(name)'"
        case .experimentExists(let name): "Experiment(name=\(name)) already exists."
        case .experimentNotActive(let id):
            "The experiment \(id) must be in the 'active' state. Current state is deleted."
        case .runNotFound(let id): "Run with id=\(id) not found"
        case .runNotActive(let id): "The run \(id) must be in the 'active' state. Current state is deleted."
        case .runTagNotFound(let key, let run): "No tag with name: \(key) in run with id \(run)"
        case .experimentTagNotFound(let key, let experiment):
            "No tag with name: \(key) in experiment with id \(experiment)"
        case .paramChanged(let key, let old, let new, let run):
            "Changing param values is not allowed. Param with key='\(key)' was already logged with value='\(old)' "
                + "for run ID='\(run)'. Attempted logging new value '\(new)'."
        case .paramsChanged(let changes, let run):
            "Changing param values is not allowed. Params were already logged='["
                + changes.map { change in
                    "{'key': '\(change.key)', 'old_value': '\(change.old)', 'new_value': '\(change.new)'}"
                }.joined(separator: ", ") + "]' for run ID='\(run)'."
        case .loggedModelNotFound(let id): "Logged model with ID '\(id)' not found."
        }
    }
}
