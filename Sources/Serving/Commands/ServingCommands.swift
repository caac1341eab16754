package import ArgumentParser

/// The commands of serving, for the root command.
package enum ServingCommands {
    /// `serve`, `predict` and `endpoints`.
    package static let all: [any ParsableCommand.Type] = [
        ServeCommand.self, PredictCommand.self, EndpointsCommand.self,
    ]
}
