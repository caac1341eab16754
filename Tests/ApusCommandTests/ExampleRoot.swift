import ArgumentParser
import Datasets
import Registry
import Serving
import Tracking

/// A root with the commands of the capabilities, as the product has it.
struct ExampleRoot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        subcommands: TrackingCommands.all + RegistryCommands.all + ServingCommands.all
            + DatasetCommands.all
    )
}
