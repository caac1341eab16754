package import ArgumentParser

/// The commands of tracking, for the root command.
package enum TrackingCommands {
    /// `experiments`, `runs` and `artifacts`.
    package static let all: [any ParsableCommand.Type] = [
        ExperimentsCommand.self, RunsCommand.self, ArtifactsCommand.self,
    ]
}
