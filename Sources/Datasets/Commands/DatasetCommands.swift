package import ArgumentParser

/// The commands of datasets, for the root command.
package enum DatasetCommands {
    /// `data`.
    package static let all: [any ParsableCommand.Type] = [DataCommand.self]
}
