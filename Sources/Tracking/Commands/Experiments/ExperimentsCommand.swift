import ApusCommand
import ArgumentParser

/// `apus experiments`.
struct ExperimentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration.apus(
        "experiments",
        "List, create and change experiments.",
        discussion: "An experiment is given by its name or its id; a number is first taken for an id.",
        subcommands: [
            ListExperiments.self, SearchExperiments.self, ShowExperiment.self, CreateExperiment.self,
            RenameExperiment.self, DeleteExperiment.self, RestoreExperiment.self, TagExperiment.self,
            UntagExperiment.self,
        ],
        aliases: ["experiment"]
    )
}
