package import ArgumentParser

/// The commands of the registry, for the root command.
package enum RegistryCommands {
    /// `models`.
    package static let all: [any ParsableCommand.Type] = [ModelsCommand.self]
}
