import ArgumentParser

/// Which models of a repository are served, under Triton's names.
struct RepositoryOptions: ParsableArguments, Sendable {
    /// What makes models come and go.
    enum ControlMode: String, ExpressibleByArgument, CaseIterable, Sendable {
        case none, poll, explicit
    }

    @Option(
        name: [.long, .customLong("model-store")],
        help: ArgumentHelp("Serve all models of a folder in Triton's layout, instead of MODEL.", valueName: "folder")
    )
    var modelRepository: String?

    @Option(
        help: ArgumentHelp(
            "none: what is there at the start; poll: the folder is watched; explicit: what is asked for. [default: none]"
        )
    )
    var modelControlMode: ControlMode?

    @Option(help: ArgumentHelp("How often the folder is looked at. [default: 15]", valueName: "seconds"))
    var repositoryPollSecs: Double?

    @Option(
        help: ArgumentHelp(
            "A model to load at the start in explicit mode; * for all. May be repeated.",
            valueName: "name"
        )
    )
    var loadModel: [String] = []

    mutating func validate() throws {
        if let repositoryPollSecs, !(0.05...86_400).contains(repositoryPollSecs) {
            throw ValidationError("--repository-poll-secs must be from 0.05 to 86400.")
        }
        if !loadModel.isEmpty, modelControlMode != .explicit {
            throw ValidationError("--load-model needs --model-control-mode explicit.")
        }
        if modelRepository == nil, modelControlMode != nil || repositoryPollSecs != nil {
            throw ValidationError("--model-control-mode and --repository-poll-secs need --model-repository.")
        }
        if repositoryPollSecs != nil, modelControlMode != .poll {
            throw ValidationError("--repository-poll-secs needs --model-control-mode poll.")
        }
    }

    var control: ModelRepository.Control {
        switch modelControlMode ?? .none {
        case .none: .none
        case .poll: .poll(.milliseconds(Int64((repositoryPollSecs ?? 15) * 1000)))
        case .explicit: .explicit(loadModel)
        }
    }
}
